//! Which programs the script calls: those of `programs.txt`, and no others.
use super::*;
use std::collections::BTreeSet;

/// A line of the list.
pub(super) struct Program {
    pub(super) name: &'static str,
    /// Whether the script does without it.
    optional: bool,
}

pub(super) fn listed() -> Vec<Program> {
    let lines = include_str!("../script/programs.txt").lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| match line.split(' ').collect::<Vec<_>>()[..] {
            [name, _] => Program { name, optional: false },
            [name, _, "optional"] => Program { name, optional: true },
            _ => panic!("`{line}` is not: PROGRAM PACKAGE [optional]"),
        })
        .collect()
}

/// What a POSIX shell has itself.
const BUILT_IN: [&str; 18] = [
    ".", ":", "[", "break", "cd", "command", "continue", "echo", "eval", "exec", "exit", "export", "printf", "read",
    "return", "set", "shift", "trap",
];
const BEFORE_A_COMMAND: [&str; 12] =
    ["if", "then", "else", "elif", "fi", "do", "done", "while", "until", "!", "{", "}"];
/// Functions whose later arguments are a command, and how many stand before it.
const CALLING: [(&str, usize); 1] = [("try", 1)];

/// The words in the place of a command, of a script of the kind that this crate writes.
#[derive(Default)]
struct Commands {
    called: BTreeSet<String>,
    defined: BTreeSet<String>,
}

/// What a word may be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Command,
    /// A command after as many words.
    After(usize),
    Argument,
    /// The word and the patterns of `case`.
    Case,
    Pattern,
}

impl Commands {
    fn of(script: &str) -> Self {
        let mut commands = Self::default();
        let mut characters: Vec<char> = script.chars().rev().collect();
        while !characters.is_empty() {
            commands.read(&mut characters);
        }
        commands
    }

    /// Reads to the end, or to the `)` that closes a substitution. The characters are in reverse.
    fn read(&mut self, rest: &mut Vec<char>) {
        let mut place = Place::Command;
        let mut cases = 0;
        while let Some(c) = rest.last().copied() {
            match c {
                ' ' | '\t' => _ = rest.pop(),
                '\\' if rest.ends_with(&['\n', '\\']) => rest.truncate(rest.len() - 2),
                '#' => {
                    while rest.last().is_some_and(|c| *c != '\n') {
                        rest.pop();
                    }
                }
                '>' | '<' => {
                    while rest.last().is_some_and(|c| "<>& ".contains(*c)) {
                        rest.pop();
                    }
                    self.word(rest);
                }
                ';' if rest.ends_with(&[';', ';']) => {
                    rest.truncate(rest.len() - 2);
                    place = Place::Pattern;
                }
                '|' if place == Place::Pattern => _ = rest.pop(),
                '\n' if place == Place::Pattern => _ = rest.pop(),
                '\n' | ';' | '&' | '|' | '(' => {
                    rest.pop();
                    place = Place::Command;
                }
                ')' => {
                    rest.pop();
                    if place != Place::Pattern && cases == 0 {
                        return;
                    }
                    place = Place::Command;
                }
                _ => {
                    let word = self.word(rest);
                    place = self.next(word.as_deref(), place, &mut cases, rest);
                }
            }
        }
    }

    fn next(&mut self, word: Option<&str>, place: Place, cases: &mut usize, rest: &mut Vec<char>) -> Place {
        let assigned =
            |word: &str| word.split_once('=').is_some_and(|(name, _)| name.parse::<crate::manifest::EnvName>().is_ok());
        // The number of a file that is redirected is no word.
        if word.is_some_and(|word| word.bytes().all(|b| b.is_ascii_digit())) && rest.ends_with(&['>']) {
            return place;
        }
        match (place, word) {
            (Place::Case, Some("in")) => Place::Pattern,
            (Place::Pattern, Some("esac")) => {
                *cases -= 1;
                Place::Argument
            }
            (Place::Case | Place::Pattern | Place::Argument, _) => place,
            (Place::After(0) | Place::Command, Some("case")) => {
                *cases += 1;
                Place::Case
            }
            (Place::Command, Some("for")) => Place::Argument,
            (Place::Command, Some(word)) if BEFORE_A_COMMAND.contains(&word) || assigned(word) => Place::Command,
            (Place::Command, Some(name)) if rest.ends_with(&[')', '(']) => {
                rest.truncate(rest.len() - 2);
                self.defined.insert(name.to_owned());
                Place::Command
            }
            (Place::After(n), _) if n > 0 => Place::After(n - 1),
            (_, Some(word)) => {
                self.called.insert(word.to_owned());
                CALLING.iter().find(|(name, _)| *name == word).map_or(Place::Argument, |(_, n)| Place::After(*n))
            }
            (_, None) => Place::Argument,
        }
    }

    /// A word; `None` when a part of it is only known when the script runs.
    fn word(&mut self, rest: &mut Vec<char>) -> Option<String> {
        let mut word = Some(String::new());
        while let Some(c) = rest.last().copied() {
            match c {
                ' ' | '\t' | '\n' | ';' | '&' | '|' | '(' | ')' | '<' | '>' => break,
                '\'' => {
                    rest.pop();
                    while rest.pop().is_some_and(|c| c != '\'') {}
                    add(&mut word, "'");
                }
                '"' => {
                    rest.pop();
                    while let Some(c) = rest.pop().filter(|c| *c != '"') {
                        match c {
                            '\\' => _ = rest.pop(),
                            '$' => self.expansion(rest),
                            _ => {}
                        }
                    }
                    add(&mut word, "\"");
                }
                '$' => {
                    rest.pop();
                    self.expansion(rest);
                    word = word.filter(|word| word.contains('='));
                }
                '\\' => {
                    rest.pop();
                    rest.pop();
                }
                _ => {
                    rest.pop();
                    add(&mut word, c.encode_utf8(&mut [0; 4]));
                }
            }
        }
        word.filter(|word| word.contains('=') || !word.contains(['\'', '"']))
    }

    /// What follows a dollar sign.
    fn expansion(&mut self, rest: &mut Vec<char>) {
        if rest.ends_with(&['(', '(']) {
            while !rest.ends_with(&[')', ')']) && rest.pop().is_some() {}
            rest.truncate(rest.len() - 2);
        } else if rest.last() == Some(&'(') {
            rest.pop();
            self.read(rest);
        } else if rest.last() == Some(&'{') {
            while rest.pop().is_some_and(|c| c != '}') {}
        }
    }

    fn programs(&self) -> BTreeSet<&str> {
        let outside = |name: &&str| !self.defined.contains(*name) && !BUILT_IN.contains(name);
        self.called.iter().map(String::as_str).filter(outside).collect()
    }
}

fn add(word: &mut Option<String>, text: &str) {
    if let Some(word) = word {
        word.push_str(text);
    }
}

#[test]
fn commands_are_found_wherever_a_shell_looks_for_them() {
    let script = r#"# no
a x 'no;no' "y $(b | c "$(d)") $no" && e || f; X=1 g >no
if ! h; then i; else j "$((1 + 2))"; fi
until k; do l; done
case $(m) in 'x y' | no*) n ;; no) o; p ;; esac
try 3 q r
{ s && t; } 2>/dev/null
u() { v; }
u ${no:-"no"} \
    no
for no in no no; do w; done
"$x" no
y=$(z)
"#;
    let found = Commands::of(script);
    let wanted: BTreeSet<&str> = "a b c d e f g h i j k l m n o p q s t v w z try".split(' ').collect();
    assert_eq!(found.programs(), wanted);
}

/// Scripts with all parts in them.
fn everything() -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/manifests/everything.yaml");
    let loaded = crate::manifest::load(&file).unwrap();
    let servers = ["10.0.0.2".parse().unwrap()];
    let mut i = instance(&loaded.manifest);
    i.ecr = EcrRegistry::of("123456789012.dkr.ecr.eu-central-1.amazonaws.com");
    i.login = loaded.manifest.registry_credential("ghcr.io");
    i.cacerts = Some("-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----\n");
    i.insecure = Some("registry.example.org:5000");
    i.nameservers = &servers;
    let low = parse(&BARE.replace("8080", "80"), "m").unwrap();
    render(&i).unwrap() + &render(&instance(&low)).unwrap()
}

#[test]
fn only_listed_programs_are_called() {
    let files = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/user_data/script")).unwrap();
    let shell = |path: &std::path::PathBuf| path.extension().is_some_and(|e| e == "sh");
    let mut all: String = everything();
    // A part that no manifest of ours uses is looked at all the same.
    for file in files.map(|f| f.unwrap().path()).filter(shell) {
        all.push_str(&fs::read_to_string(file).unwrap());
    }
    let commands = Commands::of(&all);
    let called = commands.programs();
    let listed: BTreeSet<&str> = listed().into_iter().map(|program| program.name).collect();
    let asked_about = |name: &&&str| all.contains(&format!("has {name}"));
    let unlisted: Vec<_> = called.difference(&listed).collect();
    assert!(unlisted.is_empty(), "not in script/programs.txt: {unlisted:?}");
    let unused: Vec<_> = listed.difference(&called).filter(|name| !asked_about(name)).collect();
    assert!(unused.is_empty(), "in script/programs.txt, but never called: {unused:?}");
}

#[test]
fn nothing_is_installed_at_boot() {
    const MANAGERS: [&str; 12] =
        ["dnf", "microdnf", "yum", "rpm", "apt", "apt-get", "dpkg", "apk", "zypper", "snap", "pip", "pip3"];
    let script = everything();
    let commands = Commands::of(&script);
    for manager in MANAGERS {
        assert!(!commands.called.contains(manager), "{manager} is called");
        assert!(listed().iter().all(|program| program.name != manager), "{manager} is listed");
    }
    for gone in ["dnf", "awscli", "install"] {
        assert!(!script.contains(gone), "{gone} is in the script");
    }
}

#[test]
fn what_is_optional_may_be_absent() {
    let script = everything();
    for program in listed().iter().filter(|program| program.optional) {
        // mkfs.xfs is what is left when there is no mkfs.ext4.
        assert!(script.contains(&format!("has {}", program.name)) || program.name == "mkfs.xfs", "{}", program.name);
    }
}

#[test]
fn a_program_that_is_missing_is_named_before_anything_is_done() {
    let m = parse(
        &format!("{BARE}secrets: {{PASSWORD: 'ssm:/a'}}\nfilesystems: [{{mountpoint: /tmp, size_mb: 500}}]\n"),
        "m",
    )
    .unwrap();
    let mut i = instance(&m);
    i.ecr = EcrRegistry::of("123456789012.dkr.ecr.eu-central-1.amazonaws.com");
    let script = render(&i).unwrap();
    for missing in ["docker", "curl", "awk", "base64", "blkid", "mount"] {
        let seen = play_without(&[missing], "sh", &script, "", &[("/a", "x")]);
        assert!(!seen.status.success() && seen.docker.is_empty(), "{missing}: {}", seen.output);
        let said = format!("minion: the machine image has no {missing}: use the ECS-optimized Amazon Linux 2023");
        assert!(seen.output.contains(&said), "{}", seen.output);
    }
    assert!(script.contains("\nneeds docker awk base64 blkid curl mount\n"), "{script}");
}
