//! Whatever stands in the evidence.

use proptest::prelude::*;

use super::{check_page, diagnosis, situation};
use crate::settings::Format;

/// Text as an attacker, a broken program or another alphabet writes it.
fn untrusted() -> impl Strategy<Value = String> {
    let pieces = prop_oneof![
        any::<String>(),
        "[\\u{0}-\\u{1f}\\u{7f}-\\u{9f}\\u{200b}-\\u{202e} a]{0,40}",
        "\\u{1b}\\[[0-9;]{0,6}[A-Za-z]",
        "\\u{1b}\\][0-9]{0,3};[a-z]{0,9}",
        "[漢字가नि👩‍👩‍👧🇩🇪e\\u{301}]{0,60}",
        "[x/`|*_<>#]{0,300}",
    ];
    prop::collection::vec(pieces, 1..4).prop_map(|p| p.join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn text_keeps_to_its_columns_and_steers_nothing(untrusted in untrusted()) {
        let view = situation::with(&untrusted);
        check_page(&diagnosis(&view, Format::Text, false).unwrap());
        check_page(&diagnosis(&view, Format::Wide, false).unwrap());
    }

    #[test]
    fn markdown_has_no_control_characters(untrusted in untrusted()) {
        let text = diagnosis(&situation::with(&untrusted), Format::Md, false).unwrap();
        prop_assert!(!text.chars().any(|c| c.is_control() && c != '\n'));
    }

    #[test]
    fn json_and_yaml_can_be_read_back(untrusted in untrusted()) {
        let view = situation::with(&untrusted);
        let json = diagnosis(&view, Format::Json, false).unwrap();
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        let yaml = diagnosis(&view, Format::Yaml, false).unwrap();
        let again: serde_json::Value = serde_saphyr::from_str(&yaml).unwrap();
        prop_assert_eq!(value, again);
    }
}
