//! Why a claim is bound, or not.

use model::record::Claim;
use model::{Explanation, Kind, Question, Snapshot};

use crate::storage::claim::cause::{self, Answer};

pub(super) fn explain(claim: &Claim, now: &Snapshot) -> Explanation {
    let object = claim.meta.object(Kind::PersistentVolumeClaim);
    let bound = claim.phase == "Bound";
    let answer = match claim.phase.as_str() {
        "Bound" => format!("is bound to volume {}", claim.volume),
        "" => "is known; its phase was not shown".into(),
        phase => format!("is {phase}: {}", why(claim, now)),
    };
    let mut explanation = Explanation::new(object, answer);
    let ask = if bound { "What has it got?" } else { "What does it ask for?" };
    let mut question = Question::new(ask, "");
    let class = match claim.class.as_deref() {
        Some("") => "none: only volumes without a class will do".into(),
        Some(class) if now.is_missing(Kind::StorageClass, "", class) => {
            format!("{class}, which does not exist")
        }
        Some(class) => class.to_owned(),
        None => match now.storage_classes.iter().find(|c| c.is_default()) {
            Some(class) => format!("the default: {}", class.meta.name),
            None => "the default, if there is one".into(),
        },
    };
    question.fact("storage class", class);
    if let Some(size) = claim.requested {
        question.fact("size", size.text("storage"));
    }
    if !claim.access.is_empty() {
        question.fact("access", claim.access.join(", "));
    }
    if let Some(volume) = now.volumes.get("", &claim.volume) {
        let size = volume.capacity.map(|c| format!(", {}", c.text("storage"))).unwrap_or_default();
        question.fact(format!("volume {}", claim.volume), format!("{}{size}", volume.phase));
    }
    explanation.ask(question);
    explanation
}

fn why(claim: &Claim, now: &Snapshot) -> String {
    match cause::of(claim, now) {
        Answer::Broken(cause) => cause.why,
        Answer::Fine(why) => why.to_owned(),
    }
}
