//! What exit codes mean.

/// Exit codes with their usual meaning. 128 plus a number is the signal of that number.
const CODES: [(i64, &str); 12] = [
    (0, "it ended without an error"),
    (1, "an error of the program"),
    (2, "wrong arguments, or an unhandled error"),
    (126, "the command was found but may not be executed"),
    (127, "the command was not found"),
    (128, "the container could not be started"),
    (130, "interrupted (SIGINT)"),
    (134, "it aborted itself (SIGABRT): a failed check, or a full heap"),
    (137, "it was killed (SIGKILL): out of memory, or still there after its grace period"),
    (139, "it touched memory that is not its own (SIGSEGV)"),
    (143, "it was asked to stop (SIGTERM)"),
    (255, "an exit status out of range, or an error of its entry script"),
];

/// What an exit code usually means, if it has a usual meaning.
pub(super) fn meaning(code: i64) -> Option<&'static str> {
    CODES.iter().find(|(known, _)| *known == code).map(|(_, meaning)| *meaning)
}

/// `exit code 127: the command was not found`.
pub(super) fn text(code: i64) -> String {
    match meaning(code) {
        Some(meaning) => format!("exit code {code}: {meaning}"),
        None if (129..=159).contains(&code) => format!("exit code {code}: signal {}", code - 128),
        None => format!("exit code {code}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_explained() {
        assert_eq!(text(127), "exit code 127: the command was not found");
        assert_eq!(text(135), "exit code 135: signal 7");
        assert_eq!(text(42), "exit code 42");
    }
}
