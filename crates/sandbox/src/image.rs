//! The one image of a sandbox: what instances boot, and what fakecloud's helpers are made of. A few scripts around
//! busybox, so that it is built without a download where this computer has a static busybox.
use aws_core::{Error, Result};
use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

/// What an image is built from when this computer has no static busybox, and no other base is named.
pub const BASE: &str = "public.ecr.aws/docker/library/alpine:3.20";

/// What the image stands on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Base {
    /// This computer's static busybox; nothing is downloaded.
    Busybox(PathBuf),
    /// A container image with busybox, or with the programs of it that the scripts use.
    Image(String),
}

impl Base {
    /// The one that was named; else this computer's busybox; else an image to pull. The engine runs Linux on this
    /// computer's processor when `native`.
    pub fn choose(named: Option<&str>, native: bool) -> Self {
        if let Some(named) = named {
            return Self::Image(named.to_owned());
        }
        let busybox = native.then(|| on_path("busybox")).flatten().filter(|path| libraries(path).is_none());
        busybox.map_or_else(|| Self::Image(BASE.to_owned()), Self::Busybox)
    }
}

/// Where a program is on the PATH, and in the directories of administrators.
pub fn on_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let more = ["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from);
    env::split_paths(&path).chain(more).map(|directory| directory.join(name)).find(|path| path.is_file())
}

/// The shared libraries of a program, the dynamic loader among them; `None` when it is static.
fn libraries(program: &Path) -> Option<Vec<PathBuf>> {
    let asked = Command::new("ldd").arg(program).output().ok()?;
    if !asked.status.success() {
        return None;
    }
    let text = String::from_utf8_lossy(&asked.stdout).into_owned();
    let words = text.split_whitespace().filter(|word| word.starts_with('/'));
    Some(words.map(PathBuf::from).filter(|path| path.is_file()).collect())
}

/// The directories in which iptables looks for its extensions.
const EXTENSIONS: [&str; 5] = [
    "/usr/lib/x86_64-linux-gnu/xtables",
    "/usr/lib/aarch64-linux-gnu/xtables",
    "/usr/lib/xtables",
    "/usr/lib64/xtables",
    "/lib/xtables",
];

/// This computer's iptables with all that it needs: path in the image, path here. Docker needs it too, so it is there.
fn iptables() -> Vec<(PathBuf, PathBuf)> {
    let Some(program) = on_path("iptables").and_then(|p| p.canonicalize().ok()) else { return Vec::new() };
    let Some(libraries) = libraries(&program) else { return Vec::new() };
    let mut all = vec![(PathBuf::from("/usr/sbin/iptables"), program)];
    all.extend(libraries.into_iter().map(|path| (path.clone(), path)));
    for directory in EXTENSIONS {
        let Ok(entries) = fs::read_dir(directory) else { continue };
        for path in entries.flatten().map(|entry| entry.path()).filter(|p| p.extension().is_some_and(|e| e == "so")) {
            all.push((path.clone(), path));
        }
    }
    let mut seen = BTreeSet::new();
    all.retain(|(there, _)| seen.insert(there.clone()));
    all
}

const SCRIPTS: [(&str, &str); 10] = [
    ("usr/local/bin/init", include_str!("instance/init.sh")),
    ("usr/local/bin/boot", include_str!("instance/boot.sh")),
    ("usr/local/bin/docker", include_str!("instance/standin.sh")),
    ("usr/local/bin/aws-call", include_str!("instance/standin.sh")),
    ("usr/local/bin/curl", include_str!("instance/curl.sh")),
    ("usr/local/bin/mkfs.ext4", include_str!("instance/nothing.sh")),
    ("usr/local/bin/blkid", include_str!("instance/blkid.sh")),
    ("usr/local/bin/getent", include_str!("instance/getent.sh")),
    ("usr/local/bin/nginx", include_str!("instance/nginx.sh")),
    ("usr/local/bin/socat", include_str!("instance/socat.sh")),
];

/// What the image needs of the directory tree beside its programs.
const FILES: [(&str, &str); 3] = [
    ("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n"),
    ("etc/group", "root:x:0:\nnobody:x:65534:\n"),
    ("etc/fstab", ""),
];

/// What the engine builds the image from: a tar archive with a `Dockerfile`.
///
/// # Errors
/// When a program of this computer cannot be read.
pub fn context(base: &Base) -> Result<Vec<u8>> {
    let mut archive = Archive(tar::Builder::new(Vec::new()));
    let (from, prepare) = match base {
        Base::Busybox(_) => ("scratch", ""),
        Base::Image(name) => (name.as_str(), "RUN command -v iptables >/dev/null || apk add --no-cache iptables\n"),
    };
    let dockerfile = format!(
        "FROM {from}\n{prepare}COPY root/ /\nENV PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n\
         ENTRYPOINT [\"/usr/local/bin/init\"]\nCMD [\"tail\", \"-f\", \"/dev/null\"]\n"
    );
    archive.file("Dockerfile", dockerfile.as_bytes(), 0o644)?;
    for (path, text) in SCRIPTS {
        archive.file(&format!("root/{path}"), text.as_bytes(), 0o755)?;
    }
    if let Base::Busybox(busybox) = base {
        for (path, text) in FILES {
            archive.file(&format!("root/{path}"), text.as_bytes(), 0o644)?;
        }
        for directory in ["root/tmp", "root/run", "root/var/lib", "root/root"] {
            archive.directory(directory, if directory == "root/tmp" { 0o1777 } else { 0o755 })?;
        }
        archive.copy("root/bin/busybox", busybox)?;
        for applet in applets(busybox)? {
            archive.link(&format!("root/bin/{applet}"), "busybox")?;
        }
        for (there, here) in iptables() {
            archive.copy(&format!("root{}", there.display()), &here)?;
        }
    }
    archive.0.into_inner().map_err(|e| unwritten(&e))
}

/// The programs in a busybox that nothing of ours stands in for.
fn applets(busybox: &Path) -> Result<Vec<String>> {
    let asked = Command::new(busybox).arg("--list").output();
    let asked = asked.map_err(|e| Error::failed(format!("{} cannot be run: {e}", busybox.display())))?;
    let list = String::from_utf8_lossy(&asked.stdout).into_owned();
    let ours: BTreeSet<&str> = SCRIPTS.iter().filter_map(|(path, _)| path.rsplit('/').next()).collect();
    Ok(list.lines().filter(|name| *name != "busybox" && !ours.contains(name)).map(str::to_owned).collect())
}

struct Archive(tar::Builder<Vec<u8>>);

fn unwritten(e: &std::io::Error) -> Error {
    Error::failed(format!("the sandbox's image cannot be put together: {e}"))
}

impl Archive {
    fn header(kind: tar::EntryType, mode: u32, size: u64) -> tar::Header {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_size(size);
        // The same input is the same image.
        header.set_mtime(0);
        header
    }
    fn file(&mut self, path: &str, bytes: &[u8], mode: u32) -> Result<()> {
        let mut header = Self::header(tar::EntryType::Regular, mode, bytes.len() as u64);
        self.0.append_data(&mut header, path, bytes).map_err(|e| unwritten(&e))
    }
    fn directory(&mut self, path: &str, mode: u32) -> Result<()> {
        let mut header = Self::header(tar::EntryType::Directory, mode, 0);
        self.0.append_data(&mut header, format!("{path}/"), std::io::empty()).map_err(|e| unwritten(&e))
    }
    fn link(&mut self, path: &str, target: &str) -> Result<()> {
        let mut header = Self::header(tar::EntryType::Symlink, 0o777, 0);
        self.0.append_link(&mut header, path, target).map_err(|e| unwritten(&e))
    }
    fn copy(&mut self, path: &str, from: &Path) -> Result<()> {
        let bytes = fs::read(from).map_err(|e| Error::failed(format!("{} cannot be read: {e}", from.display())))?;
        self.file(path, &bytes, 0o755)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    fn entries(context: &[u8]) -> Vec<(String, String)> {
        let mut archive = tar::Archive::new(context);
        let read = |mut entry: tar::Entry<'_, &[u8]>| {
            let path = entry.path().unwrap().display().to_string();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            (path, String::from_utf8_lossy(&bytes).into_owned())
        };
        archive.entries().unwrap().map(|entry| read(entry.unwrap())).collect()
    }

    #[test]
    fn an_image_that_was_named_is_the_base() {
        let base = Base::choose(Some("debian:12"), true);
        let all = entries(&context(&base).unwrap());
        assert!(all[0].1.starts_with("FROM debian:12\n"), "{}", all[0].1);
        assert!(all.iter().any(|(path, _)| path == "root/usr/local/bin/docker"));
        assert!(!all.iter().any(|(path, _)| path == "root/bin/busybox"));
    }

    #[test]
    fn without_a_busybox_of_this_computers_kind_one_is_pulled() {
        assert_eq!(Base::choose(None, false), Base::Image(BASE.into()));
    }

    /// As fakecloud starts an instance, with a `sh` in the place of busybox.
    #[test]
    fn the_boot_script_finds_no_disks_to_prepare() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = std::env::temp_dir().join(format!("minion-sandbox-boot-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let init = include_str!("instance/init.sh").replace("/dev/sd", &format!("{}/sd", directory.display()));
        for (name, text) in [("init", init.as_str()), ("boot", include_str!("instance/boot.sh"))] {
            fs::write(directory.join(name), text).unwrap();
            fs::set_permissions(directory.join(name), fs::Permissions::from_mode(0o755)).unwrap();
        }
        let script =
            "(printf %s 'bW91bnQgbm90aGluZyAvbm93aGVyZSAmJiBlY2hvICJtb3VudGVkICQxIgo=' | base64 -d | sh) && echo end";
        let mut command = Command::new(directory.join("init"));
        command.args(["sh", "-c", script]).env("PATH", format!("{}:/usr/bin:/bin", directory.display()));
        let ran = command.output().unwrap();
        assert_eq!(String::from_utf8_lossy(&ran.stdout), "mounted \nend\n", "{}", String::from_utf8_lossy(&ran.stderr));
        assert!(directory.join("sdf").exists());
        fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn scripts_are_scripts() {
        for (path, text) in SCRIPTS {
            assert!(text.starts_with("#!/bin/sh\n"), "{path}");
            let checked = Command::new("sh").args(["-n", "-c", text]).status().unwrap();
            assert!(checked.success(), "{path}");
        }
    }
}
