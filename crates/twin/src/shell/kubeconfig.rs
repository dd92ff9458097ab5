//! The file that tells kubectl where the twin is.

/// A kubeconfig with one cluster, one user and one context, all named `twin`.
pub(super) fn write(server: &str, authority_pem: &str, token: &str) -> String {
    let authority = base64(authority_pem.as_bytes());
    let token = serde_json::Value::from(token);
    format!(
        "apiVersion: v1\n\
         kind: Config\n\
         current-context: twin\n\
         clusters:\n\
         - name: twin\n\
         \x20 cluster:\n\
         \x20   server: {server}\n\
         \x20   certificate-authority-data: {authority}\n\
         contexts:\n\
         - name: twin\n\
         \x20 context:\n\
         \x20   cluster: twin\n\
         \x20   user: twin\n\
         users:\n\
         - name: twin\n\
         \x20 user:\n\
         \x20   token: {token}\n"
    )
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |i: usize| u32::from(chunk.get(i).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for i in 0..4 {
            let digit = DIGITS.get((bits >> (18 - 6 * i)) as usize & 63).copied();
            let shown = digit.filter(|_| i <= chunk.len()).unwrap_or(b'=');
            text.push(char::from(shown));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn base64_pads() {
        let all = ["", "f", "fo", "foo", "foob"].map(|text| base64(text.as_bytes()));
        assert_eq!(all, ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg=="]);
    }
}
