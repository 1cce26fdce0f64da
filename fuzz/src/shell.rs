//! Runs the script of an instance under a shell, with functions in place of all programs: nothing else can be run, and what
//! was called is recorded, argument by argument.
use std::{
    cell::RefCell,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};
use tempfile::TempDir;

/// Shells that instances have: program and first arguments. Debian's `sh` is dash, Amazon Linux's is bash.
const SHELLS: [(&str, &[&str]); 4] = [("sh", &[]), ("bash", &["--posix"]), ("busybox", &["sh"]), ("dash", &[])];
/// Directories of an instance that exist before its script runs.
const THERE: [&str; 6] = ["dev", "etc/docker", "etc/sysctl.d", "run/minion", "var/lib/minion/temporary", "bin"];
/// Device names of EBS volumes.
const DEVICES: std::ops::RangeInclusive<char> = 'f'..='p';

/// What programs answer in place of the real ones.
#[derive(Debug, Clone, Default)]
pub struct Machine {
    /// The user that the image names.
    pub image_user: String,
    /// What AWS answers, in the order of the questions.
    pub answers: Vec<String>,
    /// The names of secrets whose values `docker run` is to find in its environment.
    pub secrets: Vec<String>,
}

/// What a run did.
#[derive(Debug)]
pub struct Ran {
    /// Exit code; none when a signal ended it.
    pub code: Option<i32>,
    /// What was `/` to it.
    pub root: String,
    /// What it printed.
    pub output: String,
    /// The calls of `docker` and `curl`, name first, and what curl read of its standard input, as `config`.
    pub calls: Vec<Vec<String>>,
    /// What `docker run` found in its environment, in the order of [`Machine::secrets`].
    pub secrets: Vec<String>,
    /// Texts of files of the instance, where they are: by path.
    pub files: Vec<(&'static str, String)>,
}

/// The shells that are here.
pub fn shells() -> Vec<&'static str> {
    let here = |name: &&str| program(name).is_some();
    SHELLS.iter().map(|(name, _)| *name).filter(here).collect()
}

fn program(name: &str) -> Option<PathBuf> {
    ["/usr/bin", "/bin"].iter().map(|d| Path::new(d).join(name)).find(|p| p.is_file())
}

thread_local! {
    /// Made once: a run leaves little behind.
    static ROOT: RefCell<TempDir> = RefCell::new(root());
}

fn root() -> TempDir {
    let dir = tempfile::tempdir().expect("a temporary directory can be made");
    for there in THERE {
        fs::create_dir_all(dir.path().join("root").join(there)).expect("a directory can be made");
    }
    for letter in DEVICES {
        fs::write(dir.path().join(format!("root/dev/sd{letter}")), "").expect("a file can be made");
    }
    fs::create_dir(dir.path().join("here")).expect("a directory can be made");
    dir
}

/// A word in single quotes.
fn word(text: &str) -> String {
    let mut word = String::from("'");
    for c in text.chars() {
        if c == '\'' { word.push_str("'\"'\"'") } else { word.push(c) }
    }
    word.push('\'');
    word
}

/// The functions. They read no variable that the script sets, so that nothing in it can change them.
fn functions(at: &str, machine: &Machine) -> String {
    let values: String = machine.secrets.iter().map(|name| format!(" \"${name}\"")).collect();
    let values = if values.is_empty() { ":".to_owned() } else { format!("printf '%s\\0'{values}") };
    let user = word(&machine.image_user);
    format!(
        r#"note() {{ printf '%s\0' "$#" "$@" >>'{at}/calls'; }}
docker() {{
    note docker "$@"
    case $1 in
    run) {values} >'{at}/secrets' ;;
    image) printf '%s\n' {user} ;;
    inspect) echo 'true 0' ;;
    esac
}}
curl() {{
    note curl "$@"
    case "$*" in *'--config -'*) while IFS= read -r line; do note config "$line"; done ;; esac
    case "$*" in
    *latest/api/token) printf token ;;
    *security-credentials/) printf role ;;
    *security-credentials/role) printf '%s' '{{"AccessKeyId":"ID","SecretAccessKey":"KEY","Token":"SESSION"}}' ;;
    *meta-data/instance-id) printf node ;;
    *x-amz-target:*) (PATH=/usr/bin:/bin; set -- '{at}'/answers/*; command cat "$1"; command rm "$1") ;;
    esac
}}
awk() {{ (PATH=/usr/bin:/bin; command awk "$@"); }}
sed() {{ (PATH=/usr/bin:/bin; command sed "$@"); }}
base64() {{ (PATH=/usr/bin:/bin; command base64 "$@"); }}
mkdir() {{ while [ "$#" -gt 0 ]; do [ "$1" = -p ] || [ -d "$1" ] || (PATH=/usr/bin:/bin; command mkdir -p "$1"); shift; done; }}
sleep() {{ [ "$1" != 10 ] || exit 0; }}
readlink() {{ printf '%s\n' "$2"; }}
blkid() {{ echo some-uuid; }}
uname() {{ echo node; }}
chmod() {{ :; }}
rm() {{ :; }}
mount() {{ :; }}
sysctl() {{ :; }}
truncate() {{ :; }}
"#
    )
}

/// Runs the script.
///
/// # Panics
/// When it leaves something where nothing belongs.
pub fn run(shell: &str, script: &str, machine: &Machine) -> Ran {
    ROOT.with_borrow(|dir| run_in(dir.path(), shell, script, machine))
}

fn run_in(dir: &Path, shell: &str, script: &str, machine: &Machine) -> Ran {
    const FILES: [&str; 3] = ["etc/resolv.conf", "etc/docker/daemon.json", "ca.crt"];
    let at = dir.to_str().expect("a temporary directory has a name of UTF-8");
    let root = dir.join("root");
    for file in FILES.iter().map(|f| root.join(f)).chain([dir.join("calls"), dir.join("secrets")]) {
        fs::remove_file(file).ok();
    }
    let answers = dir.join("answers");
    fs::remove_dir_all(&answers).ok();
    fs::create_dir(&answers).expect("a directory can be made");
    for (n, answer) in machine.answers.iter().enumerate() {
        fs::write(answers.join(format!("{n:04}")), format!("{answer}\n200 ")).expect("a file can be written");
    }
    let placed = script.replacen("root=''", &format!("root='{at}/root'"), 1);
    assert_ne!(placed, script, "the script says where it works");
    fs::write(dir.join("script"), functions(at, machine) + &placed).expect("a file can be written");
    let (name, first) = SHELLS.iter().find(|(name, _)| *name == shell).expect("a shell of the list");
    let output = Command::new(program(name).expect("a shell that is here"))
        .args(*first)
        .arg(dir.join("script"))
        .current_dir(dir.join("here"))
        .env_clear()
        .env("PATH", root.join("bin"))
        .stdin(Stdio::null())
        .output()
        .expect("the shell can be started");
    let left = |path: PathBuf| fs::read_dir(path).map_or(0, Iterator::count);
    assert_eq!(left(dir.join("here")) + left(root.join("bin")), 0, "something was left behind\n{script}");
    let read = |path: PathBuf| fs::read(path).map(|b| String::from_utf8_lossy(&b).into_owned()).unwrap_or_default();
    let mut fields = read(dir.join("calls")).split_terminator('\0').map(str::to_owned).collect::<Vec<_>>().into_iter();
    let mut calls = Vec::new();
    while let Some(count) = fields.next() {
        let count = count.parse().expect("every record begins with its length");
        calls.push(fields.by_ref().take(count).collect());
    }
    Ran {
        code: output.status.code(),
        root: format!("{at}/root"),
        output: String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned(),
        calls,
        secrets: read(dir.join("secrets")).split_terminator('\0').map(str::to_owned).collect(),
        files: FILES.iter().map(|f| (*f, read(root.join(f)))).collect(),
    }
}
