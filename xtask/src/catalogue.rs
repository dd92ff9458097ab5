//! The catalogue as its files say it: what stands in each `failure!` block.
//!
//! It reads source text, not the compiled catalogue, so that chores work while a kind is half
//! written. A test holds both against each other. It must never judge: rules are in `tidy`.

use crate::source::{code_only, item_end, line_of, literals};
use crate::workspace::TextFile;

/// Where the catalogue is, relative to the checkout.
pub const FOLDER: &str = "crates/catalog/src/";
/// The file with the list of all kinds.
pub const LIST: &str = "crates/catalog/src/lib.rs";

/// A failure kind as its file describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KindFile {
    /// The file, relative to the checkout.
    pub path: String,
    /// The line of its `failure!`.
    pub line: usize,
    /// `node::not_ready`.
    pub module: String,
    /// `node-not-ready`.
    pub id: String,
    /// Other ids that mean the same.
    pub also: Vec<String>,
    /// The page, line by line.
    pub page: Vec<String>,
    /// Mechanisms: word and meaning.
    pub mechanisms: Vec<(String, String)>,
    /// Ids of failures it can cause.
    pub leads_to: Vec<String>,
    /// Cases of its tests, in the file or in the folder of its name, in which it is found.
    pub found: usize,
    /// Cases in which it stays quiet.
    pub quiet: usize,
}

impl KindFile {
    /// The title of its page.
    pub fn title(&self) -> &str {
        self.page.first().map_or("", |l| l.trim().trim_start_matches('#').trim())
    }

    /// The folder: `node`.
    pub fn folder(&self) -> &str {
        self.module.split("::").next().unwrap_or_default()
    }
}

/// All kinds, sorted by id.
pub fn kinds(files: &[TextFile]) -> Vec<KindFile> {
    let mut kinds: Vec<KindFile> = files.iter().filter_map(|f| kind(f, files)).collect();
    kinds.sort_by(|a, b| a.id.cmp(&b.id));
    kinds
}

fn kind(file: &TextFile, files: &[TextFile]) -> Option<KindFile> {
    let stem = file.path.strip_prefix(FOLDER)?.strip_suffix(".rs")?;
    let stem = stem.strip_suffix("/mod").unwrap_or(stem);
    let code = code_only(&file.text);
    let start = code.find("\nfailure! {")? + 1;
    let end = item_end(&code, start);
    let (block, code) = (file.text.get(start..end)?, code.get(start..end)?);
    let docs = block.lines().skip(1).map_while(|l| l.trim_start().strip_prefix("///"));
    let field = |name: &str, next: &str| {
        let from = code.find(&format!("{name}:"))?;
        let to = from + code.get(from..)?.find(&format!("{next}:"))?;
        Some(literals(block.get(from..to)?))
    };
    let words = field("mechanisms", "reads").unwrap_or_default();
    let (pairs, _) = words.as_chunks::<2>();
    let mut ids = field("id", "mechanisms")?.into_iter();
    let folder = format!("{FOLDER}{stem}/");
    let beside = files.iter().filter(|f| f.path.starts_with(&folder));
    let cases: Vec<(usize, usize)> = std::iter::once(file).chain(beside).map(cases).collect();
    Some(KindFile {
        path: file.path.clone(),
        line: line_of(&file.text, start),
        module: stem.replace('/', "::"),
        id: ids.next()?,
        also: ids.collect(),
        page: docs.map(str::to_owned).collect(),
        mechanisms: pairs.iter().map(|[word, meaning]| (word.clone(), meaning.clone())).collect(),
        leads_to: field("leads_to", "detect").unwrap_or_default(),
        found: cases.iter().map(|(found, _)| found).sum(),
        quiet: cases.iter().map(|(_, quiet)| quiet).sum(),
    })
}

/// How a test says that nothing is found.
const NOTHING: [&str; 4] = ["&[])", "is_empty()", "[\"\"; 0]", "Vec::<String>::new()"];

/// How tests say that something is found: how certain it is, or an expectation with a name.
const FOUND: [&str; 7] =
    ["Proven ", "Likely ", "Possible ", ", want)", ", &all)", "&ALL", ".len(), 1"];

/// Cases of the tests in a file: those in which something is found, and those in which nothing
/// is. A row of a table is a case.
fn cases(file: &TextFile) -> (usize, usize) {
    let is_tests = file.path.contains("/tests") || file.path.ends_with("tests.rs");
    let tests = match is_tests {
        true => file.text.as_str(),
        false => file.text.split_once("#[cfg(test)]\nmod ").map_or("", |(_, tests)| tests),
    };
    if !code_only(tests).contains("#[test]") {
        return (0, 0);
    }
    let count = |words: &[&str]| words.iter().map(|w| tests.matches(w).count()).sum::<usize>();
    let quiet = count(&NOTHING);
    // Expectations are written out, kept under a name, or the rows of a table.
    let listed = tests.matches("&[").count().saturating_sub(tests.matches("&[]").count());
    (count(&FOUND).max(listed), quiet)
}

/// The modules that `ALL` lists, in its order, with their lines.
pub fn listed(list: &str) -> Vec<(usize, String)> {
    let code = code_only(list);
    let mut listed = Vec::new();
    for (at, line) in code.lines().enumerate() {
        let entry = line.trim().strip_prefix('&').and_then(|l| l.strip_suffix("::KIND,"));
        listed.extend(entry.map(|e| (at + 1, e.to_owned())));
    }
    listed
}

#[cfg(test)]
mod tests {
    use crate::workspace::{root, text_files};

    #[test]
    fn what_the_files_say_is_what_the_compiler_sees() {
        let files = text_files(&root()).expect("the repository");
        let read = super::kinds(&files);
        assert!(!catalog::ALL.is_empty());
        for known in catalog::ALL {
            let kind = read.iter().find(|k| k.id == known.id).expect("its file");
            assert_eq!(kind.title(), known.title());
            assert_eq!(kind.also, known.also);
            assert_eq!(kind.page.join("\n") + "\n", known.page, "{}", kind.id);
            assert_eq!(kind.leads_to, known.leads_to, "{}", kind.id);
            let mechanisms = known.mechanisms.iter();
            let mechanisms = mechanisms.map(|m| (m.id.to_owned(), m.meaning.to_owned()));
            assert_eq!(kind.mechanisms, mechanisms.collect::<Vec<_>>(), "{}", kind.id);
        }
    }

    #[test]
    fn the_list_is_read_without_its_comments() {
        let list = "const ALL: &[&K] = &[\n    // &node::old::KIND,\n    &node::lost::KIND,\n];\n";
        assert_eq!(super::listed(list), [(3, "node::lost".to_owned())]);
    }
}
