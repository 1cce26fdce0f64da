//! What the demo shows where containers can run: an application in the sandbox, two versions of it that share the
//! traffic, and `curl` answered by both.
use crate::{cargo::workspace, registry_server::RegistryServer, sandbox::Sandbox};
use anyhow::{Context as _, Result, bail, ensure};
use std::{
    collections::BTreeMap,
    env, fs,
    io::IsTerminal as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::atomic::{AtomicBool, Ordering},
};

const APPLICATION: &str = "hello";
const MANIFEST: &str = "examples/hello/manifest.yaml";
/// Requests while both versions have traffic.
const REQUESTS: usize = 20;

/// What it plays on.
struct Stage<'a> {
    minion: PathBuf,
    environment: BTreeMap<String, String>,
    interrupted: &'a AtomicBool,
}

/// Shows it, and takes it down.
pub(crate) fn run(sandbox: &Sandbox, binaries: PathBuf, keep: bool, interrupted: &AtomicBool) -> Result<()> {
    let home = tempfile::tempdir()?;
    let registry = RegistryServer::start(sandbox.registry.by(), "minion-demo=registry").context("no registry")?;
    eprintln!(
        "fakecloud stands in for AWS, Docker {} runs what it launches, {} is the container registry.\n",
        sandbox.engine, registry.host
    );
    let mut environment = BTreeMap::from([
        ("HOME".to_owned(), home.path().display().to_string()),
        ("MINION_FAKECLOUD".to_owned(), sandbox.fakecloud.display().to_string()),
    ]);
    for name in ["PATH", "DOCKER_HOST", "TERM", "LANG", "LC_ALL", "COLUMNS", "NO_COLOR"] {
        environment.extend(env::var(name).ok().map(|value| (name.to_owned(), value)));
    }
    let context = context(home.path())?;
    let mut stage = Stage { minion: binaries.join("minion"), environment, interrupted };
    let told = stage.tell(&registry.host, &context, keep);
    // Whatever became of it: nothing is left running.
    stage.environment.remove("MINION_PROFILE");
    let down = stage.minion("sandbox down");
    told.and(down)?;
    eprintln!("\nAll of it did what it should, and nothing is left running.");
    Ok(())
}

/// The example, with this machine's static busybox beside it.
fn context(home: &Path) -> Result<PathBuf> {
    let context = home.join("hello");
    fs::create_dir(&context)?;
    for file in ["Dockerfile", "index.cgi"] {
        fs::copy(workspace().join("examples/hello").join(file), context.join(file))?;
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let busybox = env::split_paths(&path).map(|directory| directory.join("busybox")).find(|path| path.is_file());
    let busybox = busybox.context("there is no busybox (Debian and Ubuntu: `apt-get install busybox-static`)")?;
    fs::copy(busybox, context.join("busybox"))?;
    Ok(context)
}

impl Stage<'_> {
    fn tell(&mut self, registry: &str, context: &Path, keep: bool) -> Result<()> {
        self.says("AWS on this computer: instances are containers, load balancers carry real traffic.");
        self.minion("sandbox up --port 0 --front-port 0")?;
        // As `export MINION_PROFILE=sandbox` does.
        println!("$ export MINION_PROFILE=sandbox");
        self.environment.insert("MINION_PROFILE".to_owned(), "sandbox".to_owned());

        let image = |version: &str| format!("{registry}/{APPLICATION}:{version}");
        self.says("Two images, built from examples/hello and pushed to a registry.");
        for version in ["1.0", "2.0"] {
            let directory = context.display();
            self.minion(&format!("image build --tag {} --build-arg VERSION={version} {directory}", image(version)))?;
            self.minion(&format!("image push {}", image(version)))?;
        }

        self.says("The application, its first version, and all traffic to it.");
        self.minion(&format!("app create {MANIFEST}"))?;
        self.minion(&format!("ver create {APPLICATION} 1.0 {}", image("1.0")))?;
        self.minion(&format!("traffic {APPLICATION} 1.0 100"))?;
        let url = self.url()?;
        self.curl(&url, 2)?;

        self.says("The second version beside it, and 30% of the traffic to it.");
        self.minion(&format!("ver create {APPLICATION} 2.0 {}", image("2.0")))?;
        self.minion(&format!("traffic {APPLICATION} 2.0 30"))?;
        let answers = self.curl(&url, REQUESTS)?;
        let from = |version: &str| answers.iter().filter(|a| a.contains(&format!("version {version} "))).count();
        let (one, two) = (from("1.0"), from("2.0"));
        ensure!(one + two == REQUESTS, "of {REQUESTS} answers, {one} are of 1.0 and {two} of 2.0");
        eprintln!("{one} answers from version 1.0, {two} from version 2.0.");
        self.minion("sandbox status")?;
        if keep {
            self.keep(&url)?;
        }

        self.says("All of it to the second version; the first one goes.");
        self.minion(&format!("traffic {APPLICATION} 2.0 100"))?;
        self.curl(&url, 2)?;
        self.minion(&format!("ver delete {APPLICATION} 1.0 --yes"))?;
        self.minion("ver")?;

        self.says("Down again.");
        self.minion(&format!("app delete {APPLICATION} --cascade --yes"))
    }

    fn says(&self, sentence: &str) {
        let (bold, plain) = if std::io::stdout().is_terminal() { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
        println!("{bold}# {sentence}{plain}");
    }

    /// The address of the application.
    fn url(&self) -> Result<String> {
        let status = self.command("sandbox status -o json").output()?;
        let status: serde_json::Value = serde_json::from_slice(&status.stdout).context("sandbox status -o json")?;
        let addresses = status["addresses"].as_array().map(Vec::as_slice).unwrap_or_default();
        let own = addresses
            .iter()
            .find(|address| address["name"].as_str().is_some_and(|name| name.split('.').next() == Some(APPLICATION)));
        let url = own.and_then(|address| address["url"].as_str());
        Ok(url.with_context(|| format!("no address of {APPLICATION}: {status}"))?.to_owned())
    }

    /// Asks as a user would, this often; the answers.
    fn curl(&self, url: &str, times: usize) -> Result<Vec<String>> {
        let mut answers = Vec::new();
        for _ in 0..times {
            self.go_on()?;
            println!("$ curl {url}");
            let asked =
                Command::new("curl").args(["--silent", "--show-error", "--fail", "--noproxy", "*", url]).output();
            let asked = asked.context("there is no curl")?;
            let answer = String::from_utf8_lossy(&asked.stdout).trim().to_owned();
            ensure!(asked.status.success(), "curl: {}", String::from_utf8_lossy(&asked.stderr).trim());
            println!("{answer}");
            answers.push(answer);
        }
        println!();
        Ok(answers)
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(&self.minion);
        command.args(line.split(' ')).env_clear().envs(&self.environment).current_dir(workspace()).stdin(Stdio::null());
        command
    }

    /// Runs a command as a user would, and shows both; it must work.
    fn minion(&self, line: &str) -> Result<()> {
        println!("$ minion {line}");
        let status = self.command(line).status().with_context(|| format!("cannot start {}", self.minion.display()))?;
        println!();
        if line != "sandbox down" {
            self.go_on()?;
        }
        match status.code() {
            Some(0) => Ok(()),
            Some(code) => bail!("`minion {line}` ended with exit code {code}, expected was 0"),
            None => bail!("`minion {line}` was ended by a signal"),
        }
    }

    /// Ctrl-C reaches the command that runs, too.
    fn go_on(&self) -> Result<()> {
        ensure!(!self.interrupted.load(Ordering::Relaxed), "interrupted");
        Ok(())
    }

    fn keep(&self, url: &str) -> Result<()> {
        eprintln!("The application stands: open {url} in a browser. Or, in another terminal:\n");
        let directory = self.minion.parent().context("minion is in a directory")?;
        eprintln!("export PATH=\"{}:$PATH\"", directory.display());
        for name in ["HOME", "MINION_PROFILE"] {
            eprintln!("export {name}='{}'", self.environment[name]);
        }
        eprintln!("\nPress Enter to take it down.");
        std::io::stdin().read_line(&mut String::new())?;
        Ok(())
    }
}
