//! What a build may copy from: a directory without what its `.dockerignore` names, sent while it is read.
use crate::{ignore::Ignore, image::Trouble};
use aws_core::{Error, Result, error::Kind};
use bytes::Bytes;
use futures::{StreamExt as _, stream, stream::BoxStream};
use std::{
    fs, io,
    path::{Path, PathBuf},
};
use tokio::sync::mpsc;

/// Bytes that are sent at a time.
const PIECE: usize = 256 * 1024;
/// Under which name a Dockerfile from elsewhere is sent.
const ELSEWHERE: &str = ".dockerfile.minion";
/// The ignore file of a directory, and the end of the name of a Dockerfile's own.
const IGNORE: &str = ".dockerignore";

/// What a build may copy from.
#[derive(Debug)]
pub enum Context {
    /// A tar archive.
    Archive(Vec<u8>),
    /// Files of a directory.
    Directory(Directory),
}

/// The files of a directory that go to the engine.
#[derive(Debug)]
pub struct Directory {
    root: PathBuf,
    /// Relative, in order, directories before what is in them.
    files: Vec<PathBuf>,
    /// The Dockerfile.
    dockerfile: PathBuf,
    /// Whether it is not one of the files.
    elsewhere: bool,
    /// The text of an ignore file of the Dockerfile's own, sent in place of the directory's. The engine removes Dockerfile
    /// and ignore file from what the build sees where the file that is sent says so.
    ignore_file: Option<String>,
    /// Their size in bytes.
    size: u64,
}

impl Directory {
    /// Lists what goes to the engine, and says by which name the Dockerfile does. Without `dockerfile`, it is the
    /// directory's `Dockerfile`, else its `dockerfile`. It may lie outside of the directory.
    ///
    /// # Errors
    /// A usage error when the directory or the Dockerfile is not there, or the ignore file is wrong.
    pub fn read(root: &Path, dockerfile: Option<&Path>) -> Result<(Self, String)> {
        let at = |path: &Path, e: io::Error| Error::usage(format!("{} cannot be read: {e}", path.display()));
        let metadata = fs::metadata(root).map_err(|e| at(root, e))?;
        if !metadata.is_dir() {
            return Err(Error::usage(format!("{} is not a directory", root.display())).hint(
                "Name the directory that the Dockerfile copies from; the Dockerfile itself is named by --file.",
            ));
        }
        let dockerfile = match dockerfile {
            Some(path) => path.to_owned(),
            None => of_directory(root),
        };
        if !dockerfile.is_file() {
            return Err(Error::usage(format!("there is no Dockerfile {}", dockerfile.display()))
                .hint("--file names another one."));
        }
        let (mut ignore, own) = ignore(root, &dockerfile)?;
        let inside = dockerfile.canonicalize().ok().zip(root.canonicalize().ok());
        let inside = inside.and_then(|(file, root)| Some(slashed(file.strip_prefix(root).ok()?)));
        // An ignore file of the Dockerfile's own that excludes the directory's takes its place.
        let ignore_file = own.filter(|_| ignore.excludes(IGNORE));
        if ignore_file.is_none() {
            // The engine wants to see both, whatever is ignored, and leaves them out of the build itself.
            ignore.keep(IGNORE);
        }
        if let Some(name) = &inside {
            ignore.keep(name);
        }
        let (mut files, mut size) = (Vec::new(), 0);
        list(root, Path::new(""), &ignore, &mut files, &mut size)?;
        let elsewhere = inside.is_none();
        let directory = Self { root: root.to_owned(), files, dockerfile, elsewhere, ignore_file, size };
        Ok((directory, inside.unwrap_or_else(|| ELSEWHERE.to_owned())))
    }

    /// The Dockerfile's text, as far as it can be read.
    pub(crate) fn dockerfile(&self) -> Option<String> {
        fs::read(&self.dockerfile).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The files' size in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }
    /// How many files and directories there are.
    pub fn count(&self) -> usize {
        self.files.len()
    }

    /// The archive, written to `out`.
    fn write(&self, out: impl io::Write) -> io::Result<()> {
        let mut archive = tar::Builder::new(out);
        archive.follow_symlinks(false);
        for path in &self.files {
            let source = self.root.join(path);
            let told = |e: io::Error| io::Error::new(e.kind(), format!("{}: {e}", source.display()));
            archive.append_path_with_name(&source, path).map_err(told)?;
        }
        if self.elsewhere {
            archive.append_path_with_name(&self.dockerfile, ELSEWHERE)?;
        }
        if let Some(text) = &self.ignore_file {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_mode(0o644);
            header.set_cksum();
            archive.append_data(&mut header, IGNORE, text.as_bytes())?;
        }
        archive.into_inner()?.flush()
    }
}

/// The Dockerfile of a directory: `dockerfile` is taken only where there is no `Dockerfile` (docker/cli,
/// `getDockerfileRelPath`).
fn of_directory(root: &Path) -> PathBuf {
    let usual = root.join("Dockerfile");
    let small = root.join("dockerfile");
    if fs::symlink_metadata(&usual).is_err() && small.is_file() { small } else { usual }
}

/// What is ignored; and the ignore file's text, where it is one of the Dockerfile's own: `web/Dockerfile.dockerignore` beside
/// `web/Dockerfile`, which takes the place of the directory's (Docker manual, "Build context").
fn ignore(root: &Path, dockerfile: &Path) -> Result<(Ignore, Option<String>)> {
    let mut own = dockerfile.as_os_str().to_owned();
    own.push(IGNORE);
    for (path, is_own) in [(PathBuf::from(own), true), (root.join(IGNORE), false)] {
        let wrong = |why: String| Error::usage(format!("{}: {why}", path.display()));
        match fs::read_to_string(&path) {
            Ok(text) => return Ok((Ignore::parse(&text).map_err(wrong)?, is_own.then_some(text))),
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(wrong(e.to_string())),
        }
    }
    Ok((Ignore::default(), None))
}

/// Adds what is in `directory` (relative to `root`).
fn list(root: &Path, directory: &Path, ignore: &Ignore, files: &mut Vec<PathBuf>, size: &mut u64) -> Result<()> {
    let told = |e: io::Error| {
        let kind = if e.kind() == io::ErrorKind::PermissionDenied { Kind::Access } else { Kind::Failed };
        let error = Error::new(kind, format!("{} cannot be read: {e}", root.join(directory).display()));
        error.hint("Name it in .dockerignore if the build does not need it.")
    };
    let mut entries =
        fs::read_dir(root.join(directory)).and_then(|d| d.collect::<io::Result<Vec<_>>>()).map_err(told)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = directory.join(entry.file_name());
        let excluded = ignore.excludes(&slashed(&path));
        let metadata = entry.metadata().map_err(told)?;
        // Sockets cannot be archived; Docker leaves them out too.
        let kept = metadata.is_dir() || metadata.is_file() || metadata.is_symlink();
        if !excluded && kept {
            files.push(path.clone());
            *size += if metadata.is_file() { metadata.len() } else { 0 };
        }
        if metadata.is_dir() && (!excluded || ignore.has_exceptions()) {
            list(root, &path, ignore, files, size)?;
        }
    }
    Ok(())
}

fn slashed(path: &Path) -> String {
    let parts: Vec<_> = path.components().map(|c| c.as_os_str().to_string_lossy()).collect();
    parts.join("/")
}

impl Context {
    /// The Dockerfile's text; of an archive it is not known.
    pub(crate) fn dockerfile(&self) -> Option<String> {
        match self {
            Self::Archive(_) => None,
            Self::Directory(directory) => directory.dockerfile(),
        }
    }

    /// The body of the request, and where the thread that reads the files tells what it could not read.
    pub(crate) fn into_stream(self) -> (BoxStream<'static, io::Result<Bytes>>, Trouble) {
        let trouble = Trouble::default();
        let directory = match self {
            Self::Archive(bytes) => return (stream::iter([Ok(bytes.into())]).boxed(), trouble),
            Self::Directory(directory) => directory,
        };
        let (pieces, received) = mpsc::channel::<io::Result<Bytes>>(4);
        let told = trouble.clone();
        tokio::task::spawn_blocking(move || {
            let out = io::BufWriter::with_capacity(PIECE, Pieces(pieces.clone()));
            if let Err(error) = directory.write(out) {
                // The engine that hung up knows better why.
                if error.kind() != io::ErrorKind::BrokenPipe {
                    told.tell(error.to_string());
                }
                let _ = pieces.blocking_send(Err(error));
            }
        });
        let pieces =
            stream::unfold(
                received,
                |mut received| async move { received.recv().await.map(|piece| (piece, received)) },
            );
        (pieces.boxed(), trouble)
    }
}

/// Hands what is written over to the request.
struct Pieces(mpsc::Sender<io::Result<Bytes>>);

impl io::Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let sent = self.0.blocking_send(Ok(Bytes::copy_from_slice(bytes)));
        sent.map(|()| bytes.len()).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        dir
    }

    fn names(directory: &Directory) -> Vec<String> {
        directory.files.iter().map(|p| slashed(p)).collect()
    }

    /// What is in the archive.
    fn sent(directory: &Directory) -> Vec<(String, String)> {
        let mut archive = Vec::new();
        directory.write(&mut archive).unwrap();
        let mut read = Vec::new();
        for entry in tar::Archive::new(archive.as_slice()).entries().unwrap() {
            let mut entry = entry.unwrap();
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            read.push((slashed(&entry.path().unwrap()), text));
        }
        read
    }

    fn sent_names(directory: &Directory) -> Vec<String> {
        sent(directory).into_iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn a_dockerfile_has_an_ignore_file_of_its_own() {
        let own = "**\n!web/index.html\n";
        let dir = tree(&[
            ("web/index.html", "hi"),
            ("web/.env", "PASSWORD=hunter2"),
            ("web/Dockerfile", "FROM scratch\nCOPY . /\n"),
            ("web/Dockerfile.dockerignore", own),
            ("api/Dockerfile", "FROM scratch"),
            ("big/data.bin", "x"),
            (".dockerignore", "web/index.html\n"),
        ]);
        let read = |file: &str| Directory::read(dir.path(), Some(&dir.path().join(file))).unwrap();
        let (got, name) = read("web/Dockerfile");
        assert_eq!(name, "web/Dockerfile");
        assert_eq!(names(&got), ["web/Dockerfile", "web/index.html"]);
        // The engine removes what the file that is sent excludes: as BuildKit would not show it either.
        assert!(sent(&got).contains(&(".dockerignore".to_owned(), own.to_owned())));
        // Another Dockerfile goes by the directory's file.
        let api = names(&read("api/Dockerfile").0);
        assert!(api.contains(&"web/.env".to_owned()) && !api.contains(&"web/index.html".to_owned()), "{api:?}");
        // One that does not exclude the directory's ignore file leaves that one to the build, as it is.
        fs::write(dir.path().join("web/Dockerfile.dockerignore"), "big\n").unwrap();
        let got = read("web/Dockerfile").0;
        assert!(sent(&got).contains(&(".dockerignore".to_owned(), "web/index.html\n".to_owned())));
        assert!(names(&got).contains(&"web/index.html".to_owned()) && !names(&got).contains(&"big".to_owned()));
        // An empty one excludes nothing, whatever the directory's says.
        fs::write(dir.path().join("web/Dockerfile.dockerignore"), "").unwrap();
        assert!(names(&read("web/Dockerfile").0).contains(&"web/index.html".to_owned()));
        fs::write(dir.path().join("web/Dockerfile.dockerignore"), "[x\n").unwrap();
        let e = Directory::read(dir.path(), Some(&dir.path().join("web/Dockerfile"))).unwrap_err().to_string();
        assert!(e.contains("web/Dockerfile.dockerignore: line 1"), "{e}");
    }

    #[test]
    fn a_dockerfile_from_elsewhere_brings_its_ignore_file() {
        let dir = tree(&[("a", ""), ("b", "")]);
        let other = tree(&[("x.Dockerfile", "FROM scratch"), ("x.Dockerfile.dockerignore", "a\n")]);
        let (got, _) = Directory::read(dir.path(), Some(&other.path().join("x.Dockerfile"))).unwrap();
        assert_eq!(sent_names(&got), ["b", ELSEWHERE]);
    }

    #[test]
    fn a_dockerfile_in_small_letters() {
        let dir = tree(&[("dockerfile", "FROM scratch"), ("dockerfile.dockerignore", "x\n"), ("x", "")]);
        let (got, name) = Directory::read(dir.path(), None).unwrap();
        assert_eq!(name, "dockerfile");
        assert!(!names(&got).contains(&"x".to_owned()));
        fs::write(dir.path().join("Dockerfile"), "FROM scratch").unwrap();
        let (got, name) = Directory::read(dir.path(), None).unwrap();
        assert_eq!(name, "Dockerfile", "it comes first");
        assert!(names(&got).contains(&"x".to_owned()));
        let named = Directory::read(dir.path(), Some(&dir.path().join("dockerfile"))).unwrap();
        assert_eq!(named.1, "dockerfile", "--file overrides both");
        let none = tree(&[("DOCKERFILE", "")]);
        let e = Directory::read(none.path(), None).unwrap_err();
        assert!(e.kind() == Kind::Usage && e.to_string().ends_with("/Dockerfile"), "{e}");
    }

    #[test]
    fn what_goes_to_the_engine() {
        let dir = tree(&[
            ("Dockerfile", "FROM scratch"),
            (".dockerignore", "*\n!src\nsrc/*.log\n"),
            ("src/main.c", "12345"),
            ("src/x.log", ""),
            ("target/big", "much"),
        ]);
        let (got, name) = Directory::read(dir.path(), None).unwrap();
        assert_eq!(names(&got), [".dockerignore", "Dockerfile", "src", "src/main.c"]);
        assert_eq!((name.as_str(), got.count()), ("Dockerfile", 4));
        assert_eq!(got.size(), 12 + 17 + 5);
        let read = sent(&got);
        assert!(read.contains(&("src/main.c".to_owned(), "12345".to_owned())), "{read:?}");
    }

    #[test]
    fn a_dockerfile_from_elsewhere() {
        let (dir, other) = (tree(&[("a", "")]), tree(&[("x.Dockerfile", "FROM scratch")]));
        let (got, name) = Directory::read(dir.path(), Some(&other.path().join("x.Dockerfile"))).unwrap();
        assert_eq!((name.as_str(), names(&got)), (ELSEWHERE, vec!["a".to_owned()]));
        assert_eq!(sent_names(&got), ["a", ELSEWHERE]);
    }

    #[test]
    fn what_is_not_there_is_named() {
        let dir = tree(&[("Dockerfile", ""), ("sub/.dockerignore", "ok\n[x\n"), ("sub/Dockerfile", "")]);
        let read = |root: &str, file: &str| Directory::read(&dir.path().join(root), Some(&dir.path().join(file)));
        for (root, file, wanted) in [
            ("nothing", "Dockerfile", "nothing cannot be read"),
            ("Dockerfile", "Dockerfile", "is not a directory"),
            (".", "No.Dockerfile", "no Dockerfile"),
            ("sub", "sub/Dockerfile", ".dockerignore: line 2"),
        ] {
            let e = read(root, file).unwrap_err();
            assert!(e.kind() == Kind::Usage && e.to_string().contains(wanted), "{e}");
        }
    }
}
