//! The container engine of this computer, for the tests that need one.
use std::{fs, path::PathBuf, process::Command, sync::OnceLock};

/// Volumes that a run of the tests that was cut off has left.
static OLD_VOLUMES: OnceLock<Vec<String>> = OnceLock::new();

/// The engine, with what one test made on it: gone when this is dropped.
pub(crate) struct Engine {
    /// What the test's images carry.
    pub(crate) label: String,
    /// A directory for contexts of builds.
    pub(crate) directory: tempfile::TempDir,
}

impl Engine {
    /// The engine; none when `MINION_DOCKER_TESTS=0` says that there is to be none. A missing one fails the test.
    pub(crate) fn get(test: &str) -> Option<Self> {
        if std::env::var("MINION_DOCKER_TESTS").is_ok_and(|v| v == "0") {
            #[expect(clippy::print_stdout, reason = "a test that shows nothing is not to pass silently")]
            fn tell(text: &str) {
                println!("{text}");
            }
            tell(&format!("{test} is skipped: MINION_DOCKER_TESTS=0"));
            return None;
        }
        let version = Command::new("docker").args(["version", "--format", "{{.Server.Version}}"]).output();
        let answers = version.as_ref().is_ok_and(|v| v.status.success());
        assert!(answers, "no container engine answers (MINION_DOCKER_TESTS=0 skips these tests): {version:?}");
        let label = format!("minion-test={test}-{}", std::process::id());
        let engine = Self { label, directory: tempfile::tempdir().unwrap() };
        OLD_VOLUMES.get_or_init(|| engine.all_volumes());
        Some(engine)
    }

    /// Volumes of `minion image run` that no container has, but for those of earlier runs.
    pub(crate) fn volumes(&self) -> Vec<String> {
        let old = OLD_VOLUMES.get().unwrap();
        self.all_volumes().into_iter().filter(|volume| !old.contains(volume)).collect()
    }

    fn all_volumes(&self) -> Vec<String> {
        let filters = ["--filter", "label=minion-image-run", "--filter", "dangling=true"];
        let listed = self.docker(&[&["volume", "ls", "--quiet"][..], &filters].concat());
        listed.lines().map(str::to_owned).collect()
    }

    /// Runs `docker` with these arguments, and gives what it printed.
    pub(crate) fn docker(&self, arguments: &[&str]) -> String {
        let output = Command::new("docker").args(arguments).output().unwrap();
        assert!(output.status.success(), "docker {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// A static busybox: `MINION_BUSYBOX`, or the machine's.
    fn busybox() -> PathBuf {
        let named = std::env::var_os("MINION_BUSYBOX").map(PathBuf::from);
        let places = [Some("/bin/busybox".into()), Some("/usr/bin/busybox".into()), named];
        let found = places.into_iter().rev().flatten().find(|p: &PathBuf| p.is_file());
        found.expect("a static busybox (Debian: busybox-static), or MINION_BUSYBOX")
    }

    /// A directory for the build of an image that runs this script of `sh` with busybox (`/bin/busybox` alone).
    pub(crate) fn context(&self, name: &str, script: &str) -> PathBuf {
        let directory = self.directory.path().join(name);
        fs::create_dir_all(&directory).unwrap();
        fs::copy(Self::busybox(), directory.join("busybox")).unwrap();
        fs::write(directory.join("start"), script).unwrap();
        let (key, value) = self.label.split_once('=').unwrap();
        let text = format!(
            "FROM scratch\nCOPY busybox /bin/busybox\nCOPY start /start\nLABEL {key}={value}\nENTRYPOINT [\"/bin/busybox\", \"sh\", \"/start\"]\n"
        );
        fs::write(directory.join("Dockerfile"), text).unwrap();
        directory
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let filter = format!("label={}", self.label);
        let list = Command::new("docker").args(["images", "--quiet", "--filter", &filter]).output();
        let Ok(list) = list else { return };
        for image in String::from_utf8_lossy(&list.stdout).lines() {
            let _ = Command::new("docker").args(["rmi", "--force", image]).output();
        }
    }
}
