//! How Ingress controllers say that they miss something.

use super::between;

/// What an Ingress controller misses.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct IngressComplaint {
    /// The word of `ingress-misrouted` for it.
    pub mechanism: &'static str,
    /// Namespace of what is missed, or empty.
    pub namespace: String,
    /// Name of what is missed; may be empty for a class.
    pub name: String,
    /// `namespace/name` of the Ingress, or empty.
    pub ingress: String,
}

/// Fragments, each with the mechanism and what stands before the name of what is missed.
const FORMS: &[(&str, &str, &str)] = &[
    ("error obtaining endpoints for service", "backend-service-missing", "service \""),
    ("error obtaining service", "backend-service-missing", "service \""),
    ("could not find service \"", "backend-service-missing", "service \""),
    ("services \"", "backend-service-missing", "services \""),
    ("service not found", "backend-service-missing", "servicename"),
    ("could not find port", "backend-port-missing", "service \""),
    ("service port not found", "backend-port-missing", "servicename"),
    ("error getting ssl certificate", "certificate-secret-missing", "certificate \""),
    ("error obtaining x.509 certificate", "certificate-secret-missing", "key \""),
    ("error configuring tls: secret ", "certificate-secret-missing", "secret "),
    ("secrets \"", "certificate-secret-missing", "secrets \""),
    ("does not contain a valid ingressclass", "class-missing", ""),
    ("validating ingress class", "class-missing", "matching key \""),
    ("ingressclass.networking.k8s.io \"", "class-missing", "k8s.io \""),
];

/// Words of which one must stand in a complaint: most of the forms are told of what is well, too.
const MISSED: &[&str] = &[
    "not found",
    "no object matching key",
    "does not exist",
    "could not find",
    "does not contain a valid",
    "doesn't exist",
];

/// What a line of a controller, or an event, says is missing.
pub fn ingress_complaint(text: &str) -> Option<IngressComplaint> {
    let plain = text.replace("\\\"", "\"");
    let lower = plain.to_ascii_lowercase();
    if !MISSED.iter().any(|m| lower.contains(m)) {
        return None;
    }
    let (_, mechanism, mark) = FORMS.iter().find(|(fragment, _, _)| lower.contains(fragment))?;
    let by_key = |key: &str| value_of(&plain, key).unwrap_or_default().to_owned();
    let named = match *mark {
        "" => String::new(),
        "servicename" => by_key("serviceName"),
        // Lower case has the same length in ASCII, and only there positions are taken over.
        mark if lower.len() == plain.len() => {
            let at = lower.find(mark)? + mark.len();
            let rest = plain.get(at..)?;
            rest.split(['"', ' ', ',']).next().unwrap_or_default().to_owned()
        }
        _ => return None,
    };
    let (namespace, name) = match named.split_once('/') {
        Some((namespace, name)) => (namespace.to_owned(), name.to_owned()),
        None => (by_key("namespace"), named),
    };
    let named = between(&plain, "ingress=\"", "\"").or_else(|| between(&plain, "ingress \"", "\""));
    let ingress = match named {
        Some(full) if full.contains('/') => full.to_owned(),
        _ => {
            let (namespace, ingress) = (by_key("namespace"), by_key("ingress"));
            let both = !namespace.is_empty() && !ingress.is_empty();
            if both { format!("{namespace}/{ingress}") } else { String::new() }
        }
    };
    let told = IngressComplaint { mechanism, namespace, name, ingress };
    (!told.name.is_empty() || *mechanism == "class-missing").then_some(told)
}

/// `key=value`, `key="value"` or `"key":"value"` of a structured log line.
fn value_of<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    let ends = ['"', ' ', ',', '}'];
    let forms = [format!(" {key}=\""), format!(" {key}="), format!("\"{key}\":\"")];
    let rest = forms.iter().find_map(|f| text.split_once(f.as_str())).map(|(_, rest)| rest)?;
    rest.split(ends).next().filter(|v| !v.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controllers_say_what_they_miss() {
        for (text, mechanism, name, ingress) in [
            (
                "W0102 controller.go:1] Error obtaining Endpoints for Service \"quay/ferry\": no \
                 object matching key \"quay/ferry\" in local store",
                "backend-service-missing",
                "quay/ferry",
                "",
            ),
            (
                "W0102 controller.go:1] Error getting SSL certificate \"quay/gate-tls\": local \
                 SSL certificate quay/gate-tls was not found. Using default certificate",
                "certificate-secret-missing",
                "quay/gate-tls",
                "",
            ),
            (
                "I0102 store.go:1] \"Ignoring ingress because of error while validating ingress \
                 class\" ingress=\"quay/gate\" error=\"no object matching key \\\"outer\\\" in \
                 local store\"",
                "class-missing",
                "/outer",
                "quay/gate",
            ),
            (
                "I0102 store.go:1] \"Ignoring ingress because of error while validating ingress \
                 class\" ingress=\"quay/gate\" error=\"ingress does not contain a valid \
                 IngressClass\"",
                "class-missing",
                "/",
                "quay/gate",
            ),
            (
                "level=error msg=\"Cannot create service: service not found\" namespace=quay \
                 ingress=gate serviceName=ferry servicePort=80 providerName=kubernetes",
                "backend-service-missing",
                "quay/ferry",
                "quay/gate",
            ),
            (
                "ERR Cannot create service error=\"service port not found\" ingress=gate \
                 namespace=quay serviceName=ferry",
                "backend-port-missing",
                "quay/ferry",
                "quay/gate",
            ),
            (
                "Error configuring TLS: secret quay/gate-tls does not exist",
                "certificate-secret-missing",
                "quay/gate-tls",
                "",
            ),
            (
                "Failed build model due to ingress: quay/gate: services \"ferry\" not found",
                "backend-service-missing",
                "/ferry",
                "",
            ),
        ] {
            let told = ingress_complaint(text).expect(text);
            assert_eq!(told.mechanism, mechanism, "{text}");
            assert_eq!(format!("{}/{}", told.namespace, told.name), name, "{text}");
            assert_eq!(told.ingress, ingress, "{text}");
        }
        for text in ["", "Service \"quay/ferry\" does not have any active Endpoint.", "not found"] {
            assert_eq!(ingress_complaint(text), None, "{text}");
        }
    }
}
