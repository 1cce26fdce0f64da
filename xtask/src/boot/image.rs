//! The virtual machine's disk: Debian's packages, and on them what makes them an instance. Both are kept.
use crate::{cargo::workspace, tools::Locked};
use anyhow::{Context as _, Result, bail, ensure};
use sha2::{Digest as _, Sha256};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

/// What the host needs, and Debian's package that has it.
const PROGRAMS: [(&str, &str); 4] = [
    ("qemu-system-x86_64", "qemu-system-x86"),
    ("debootstrap", "debootstrap"),
    ("mkfs.ext4", "e2fsprogs"),
    ("python3", "python3"),
];
/// Recipe of the packages; all else is laid on them.
const PACKAGES: &str = "image.sh";
/// What the boot script calls; user data finds no other programs.
const TABLE: &str = "crates/minion-cli/src/user_data/script/programs.txt";
/// Room that a boot has beside what the image holds: for Docker, and little enough for an image that is too large.
const FREE_MIB: u64 = 160;

/// A disk that boots, and what boots it.
#[derive(Debug)]
pub(crate) struct Image {
    directory: PathBuf,
    /// Digests of the container images, by repository.
    pub(crate) digests: BTreeMap<String, String>,
}

impl Image {
    pub(crate) fn disk(&self) -> PathBuf {
        self.directory.join("root.img")
    }
    pub(crate) fn kernel(&self) -> PathBuf {
        self.directory.join("vmlinuz")
    }
    pub(crate) fn initrd(&self) -> PathBuf {
        self.directory.join("initrd")
    }
}

/// Says what is missing on this machine, and how it gets there.
pub(crate) fn needed() -> Result<()> {
    let missing: Vec<&str> = PROGRAMS
        .iter()
        .filter(|(program, _)| {
            let there = |directory: &str| Path::new(directory).join(program).is_file();
            !["/usr/bin", "/usr/sbin", "/bin", "/sbin"].into_iter().any(there)
        })
        .map(|(_, package)| *package)
        .collect();
    if !missing.is_empty() {
        bail!("the boot proof needs more programs: run `apt-get install {}`", missing.join(" "));
    }
    let id = Command::new("id").arg("-u").output().context("cannot start id")?;
    ensure!(id.stdout.trim_ascii() == b"0", "the boot proof needs root: debootstrap makes the image");
    Ok(())
}

/// The image that these recipes make; made where it is not there yet, or with `fresh`, whatever is there.
pub(crate) fn image(fresh: bool) -> Result<Image> {
    let recipe = workspace().join("tests/boot");
    let tools = Locked::wait()?;
    let base = tools.path().join(format!("boot-base-{}", fingerprint(&[recipe.join(PACKAGES)])?));
    let whole = tools.path().join(format!("boot-{}", fingerprint(&files(&recipe)?)?));
    if fresh {
        for directory in [&base, &whole].into_iter().filter(|directory| directory.exists()) {
            fs::remove_dir_all(directory)?;
        }
    }
    let digests = whole.join("digests.json");
    if !digests.is_file() {
        // Written last, so a directory with it is whole.
        if !base.join("packages.txt").is_file() {
            let began = Instant::now();
            eprintln!("Making a Debian in {}; this takes some minutes, once.", base.display());
            fs::create_dir_all(&base)?;
            shell(&recipe.join(PACKAGES), &[&base], &base)?;
            eprintln!("That took {} s.", began.elapsed().as_secs());
        }
        remove_old(tools.path(), &[&base, &whole])?;
        eprintln!("Making the disk of the virtual machine in {}.", whole.display());
        prepare(&recipe, &base, &whole)?;
    }
    let read = serde_json::from_slice(&fs::read(&digests)?).context("the digests of the container images")?;
    Ok(Image { directory: whole, digests: read })
}

/// A copy of the base becomes the instance, and then an ext4 image.
fn prepare(recipe: &Path, base: &Path, whole: &Path) -> Result<()> {
    fs::create_dir_all(whole)?;
    let (root, disk) = (whole.join("root"), whole.join("root.img"));
    done(Command::new("rm").args(["-rf", "--"]).args([&root, &disk]), "rm")?;
    done(Command::new("cp").args(["-a", "--"]).args([&base.join("root"), &root]), "cp")?;
    for file in ["vmlinuz", "initrd"] {
        fs::copy(base.join(file), whole.join(file))?;
    }
    shell(&recipe.join("prepare.sh"), &[&root, &workspace().join(TABLE)], whole)?;
    let images = Command::new("python3").arg("-B").arg(recipe.join("app_image.py")).arg(&root).output()?;
    ensure!(images.status.success(), "app_image.py failed: {}", String::from_utf8_lossy(&images.stderr).trim());
    let used = Command::new("du").args(["-sm", "--"]).arg(&root).output()?;
    let used = String::from_utf8_lossy(&used.stdout);
    let used: u64 = used.split_whitespace().next().and_then(|n| n.parse().ok()).context("du says no size")?;
    let size = format!("{}M", used + FREE_MIB);
    done(Command::new("mkfs.ext4").args(["-q", "-F", "-m", "1", "-d"]).args([&root, &disk]).arg(size), "mkfs.ext4")?;
    fs::remove_dir_all(&root)?;
    fs::write(whole.join("digests.json"), images.stdout)?;
    Ok(())
}

/// Runs a recipe; what it says goes into `<recipe>.log` in this directory.
fn shell(recipe: &Path, arguments: &[&Path], logs: &Path) -> Result<()> {
    let log = logs.join(recipe.with_extension("log").file_name().context("a recipe is a file")?);
    let file = fs::File::create(&log)?;
    let mut command = Command::new("sh");
    let status = command.arg(recipe).args(arguments).stdout(file.try_clone()?).stderr(file).status();
    let status = status.context("cannot start sh")?;
    if !status.success() {
        let said = fs::read_to_string(&log).unwrap_or_default();
        let last: Vec<&str> = said.lines().rev().take(5).collect();
        let last: Vec<&str> = last.into_iter().rev().collect();
        bail!("{} failed; the end of {}:\n{}", recipe.display(), log.display(), last.join("\n"));
    }
    Ok(())
}

fn done(command: &mut Command, name: &str) -> Result<()> {
    let done = command.output().with_context(|| format!("cannot start {name}"))?;
    ensure!(done.status.success(), "{name} failed: {}", String::from_utf8_lossy(&done.stderr).trim());
    Ok(())
}

/// Images of recipes that are no more.
fn remove_old(tools: &Path, but: &[&PathBuf]) -> Result<()> {
    for entry in fs::read_dir(tools)? {
        let path = entry?.path();
        let ours = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("boot-"));
        if ours && path.is_dir() && !but.contains(&&path) {
            done(Command::new("rm").args(["-rf", "--"]).arg(&path), "rm")?;
        }
    }
    Ok(())
}

/// Every file that the disk is made of; scenarios come on a disk of their own.
fn files(recipe: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut directories = vec![recipe.join("guest")];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(&directory)? {
            let path = entry?.path();
            if path.is_dir() { directories.push(path) } else { found.push(path) }
        }
    }
    found.extend([PACKAGES, "prepare.sh", "app_image.py"].map(|file| recipe.join(file)));
    found.push(workspace().join(TABLE));
    found.sort();
    Ok(found)
}

/// Says which files these are, with what they hold.
fn fingerprint(files: &[PathBuf]) -> Result<String> {
    let mut hash = Sha256::new();
    for file in files {
        let content = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        hash.update(file.file_name().context("a file has a name")?.as_encoded_bytes());
        hash.update(u64::try_from(content.len())?.to_le_bytes());
        hash.update(content);
    }
    Ok(hash.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_known_by_what_it_is_made_of() {
        let directory = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = directory.path().join(name);
            fs::write(&path, text).unwrap();
            path
        };
        let print = |files: &[PathBuf]| fingerprint(files).unwrap();
        let (one, two) = (file("one", "a"), file("two", "b"));
        let first = print(&[one.clone(), two.clone()]);
        assert_eq!(first.len(), 12);
        assert_eq!(print(&[one.clone(), two.clone()]), first);
        assert_ne!(print(std::slice::from_ref(&one)), first);
        // What moves from one file's end to the next one's beginning is another image.
        let moved = print(&[file("one", "ab"), file("two", "")]);
        assert_ne!(moved, first);
    }

    #[test]
    fn the_recipe_is_whole() {
        let recipe = workspace().join("tests/boot");
        let files = files(&recipe).unwrap();
        for wanted in ["guest/check.py", "guest/units/boot-proof-check.service", "image.sh"] {
            assert!(files.contains(&recipe.join(wanted)), "{wanted} is not in {files:?}");
        }
    }
}
