//! What a registry says when it refuses. OCI distribution spec, "Error Codes".

use serde::Deserialize;

/// The registry's words: `manifest unknown: manifest unknown`. None where the body has none.
pub(crate) fn refusal(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Answer {
        #[serde(default)]
        errors: Vec<One>,
        /// So Docker Hub's token server says it.
        details: Option<String>,
    }
    #[derive(Deserialize)]
    struct One {
        code: String,
        #[serde(default)]
        message: String,
    }
    let answer: Answer = serde_json::from_slice(body).ok()?;
    let Some(one) = answer.errors.into_iter().next() else { return answer.details };
    let code = one.code.to_ascii_lowercase().replace('_', " ");
    Some(if one.message.is_empty() { code } else { format!("{code}: {}", one.message) })
}

#[cfg(test)]
mod tests {
    use super::refusal;

    #[test]
    fn a_refusal_is_told_in_the_registrys_words() {
        let body =
            br#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown","detail":{"Tag":"x"}}]}"#;
        assert_eq!(refusal(body).as_deref(), Some("manifest unknown: manifest unknown"));
        assert_eq!(refusal(br#"{"errors":[{"code":"DENIED"}]}"#).as_deref(), Some("denied"));
        assert_eq!(refusal(br#"{"details":"incorrect password"}"#).as_deref(), Some("incorrect password"));
        assert_eq!(refusal(b"{}"), None);
        assert_eq!(refusal(b"<html>"), None);
    }
}
