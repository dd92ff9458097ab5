//! `cargo xtask bench diagnose`: makes a dump of a cluster with known faults, diagnoses it with the
//! release binary, and holds time, memory and verdict against a bare scan of the same bytes.
//! `cargo xtask bench watch`: lets things happen to such a cluster and holds the time in which a
//! standing verdict follows them against its limits.
//!
//! The same options give the same dump, byte for byte. Nothing here is part of the product.

mod api;
mod dump;
mod faults;
mod measure;
mod verdict;

use anyhow::{Context, Result, bail};
use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::process::Command;

const USAGE: &str = "\
usage: cargo xtask bench diagnose [--pods N] [--nodes N] [--seed S]
                                  [--binary FILE] [--keep FILE]
       cargo xtask bench watch [--pods N] [--nodes N] [--seed S] [--keep FILE]
       cargo xtask bench api --control-plane FOLDER [--pods N] [--binary FILE]";

/// What is measured.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Options {
    pods: u32,
    nodes: u32,
    seed: u64,
    /// Diagnose with this binary instead of building one.
    binary: Option<PathBuf>,
    /// Write the dump here and keep it.
    keep: Option<PathBuf>,
}

/// Runs `bench` with the words after it.
pub fn run(words: &[&str]) -> Result<()> {
    if let ["api", rest @ ..] = words {
        return api::run(rest);
    }
    let (is_watch, rest) = match words {
        ["diagnose", rest @ ..] => (false, rest),
        ["watch", rest @ ..] if !rest.contains(&"--binary") => (true, rest),
        _ => bail!("{USAGE}"),
    };
    let options = options(rest)?;
    if is_watch {
        return in_folder("bench-watch", |folder| {
            watch(&options, &options.keep.clone().unwrap_or_else(|| folder.join("dump.json")))
        });
    }
    if cfg!(debug_assertions) {
        // The bare scan is measured in this process, so it must be as optimised as the product.
        return again_in_release(words);
    }
    let binary = match &options.binary {
        Some(path) => path.clone(),
        None => build()?,
    };
    in_folder("bench-diagnose", |folder| {
        let file = options.keep.clone().unwrap_or_else(|| folder.join("dump.json"));
        bench(&options, &binary, &file)
    })
}

/// Works in a folder that is there for so long.
fn in_folder(name: &str, work: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let folder = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
    fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    let done = work(&folder);
    fs::remove_dir_all(&folder).with_context(|| format!("removing {}", folder.display()))?;
    done
}

/// Writes the dump.
fn make(options: &Options, file: &Path) -> Result<dump::Made> {
    let Options { pods, nodes, seed, .. } = *options;
    let writing = || format!("writing {}", file.display());
    let mut out = BufWriter::with_capacity(1 << 20, File::create(file).with_context(writing)?);
    let made = dump::write(&dump::Size { pods, nodes, seed }, &mut out).with_context(writing)?;
    out.into_inner().map_err(std::io::IntoInnerError::into_error).with_context(writing)?;
    println!("dump       {pods} pods, {nodes} nodes, {} objects, seed {seed}", made.objects);
    Ok(made)
}

fn watch(options: &Options, file: &Path) -> Result<()> {
    make(options, file)?;
    let mut command = cargo();
    command.args(["bench", "--quiet", "--package", "engine", "--bench", "standing", "--"]);
    let status = command.arg(file).status().context("starting cargo bench")?;
    if !status.success() {
        bail!("a change takes longer than it may, or the verdict is another");
    }
    Ok(())
}

fn bench(options: &Options, binary: &Path, file: &Path) -> Result<()> {
    let made = make(options, file)?;
    let (scan, run) = measure::side_by_side(binary, file)?;
    print!("{}", measure::table(&scan, &run));
    let found = verdict::check(&run.output, &made.planted)?;
    print!("{found}");
    if found.missing() > 0 {
        bail!("{} of {} planted faults were not found", found.missing(), made.planted.len());
    }
    Ok(())
}

fn options(words: &[&str]) -> Result<Options> {
    let mut options = Options { pods: 10_000, nodes: 0, seed: 1, binary: None, keep: None };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let value = words.next().with_context(|| format!("{word} needs a value"))?;
        let number = || value.parse().with_context(|| format!("{word} {value}: not a number"));
        match *word {
            "--pods" => options.pods = number()?,
            "--nodes" => options.nodes = number()?,
            "--seed" => options.seed = u64::from(number()?),
            "--binary" => options.binary = Some(PathBuf::from(value)),
            "--keep" => options.keep = Some(PathBuf::from(value)),
            _ => bail!("{word} is no option of bench diagnose"),
        }
    }
    if options.nodes == 0 {
        options.nodes = (options.pods / 30).max(3);
    }
    Ok(options)
}

fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

fn again_in_release(words: &[&str]) -> Result<()> {
    let mut command = cargo();
    command.args(["run", "--quiet", "--release", "--package", "xtask", "--", "bench"]).args(words);
    let status = command.status().context("starting cargo")?;
    if !status.success() {
        bail!("the measurement failed");
    }
    Ok(())
}

/// Builds the product and gives the path of its binary.
fn build() -> Result<PathBuf> {
    let status = cargo()
        .args(["build", "--quiet", "--release", "--bin", "seaworthy"])
        .status()
        .context("starting cargo build")?;
    if !status.success() {
        bail!("seaworthy does not build");
    }
    // Beside this very program, which is a release build too.
    let own = std::env::current_exe().context("finding the target folder")?;
    let binary = own.with_file_name(format!("seaworthy{}", std::env::consts::EXE_SUFFIX));
    if !binary.is_file() {
        bail!("{} is not there: name it with --binary", binary.display());
    }
    Ok(binary)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_options() {
        let got = options(&["--pods", "900", "--seed", "7"]).unwrap();
        assert_eq!((got.pods, got.nodes, got.seed), (900, 30, 7));
        assert!(options(&["--pods"]).is_err());
        assert!(options(&["--pods", "many"]).is_err());
        assert!(options(&["--speed", "1"]).is_err());
    }
}
