//! A real registry v2 server on loopback, by plain HTTP, with nothing in it. `xtask` uses this file too.
use std::{
    fs,
    io::{Error, Result},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// Until it answers.
const START: Duration = Duration::from_secs(30);

/// How the registry is started.
#[derive(Debug, Clone, Copy)]
pub(crate) enum By<'a> {
    /// This program: Debian's `docker-registry`.
    Program(&'a Path),
    /// A container of this image.
    Image(&'a str),
}

/// A registry. It ends with this value.
pub(crate) struct RegistryServer {
    /// `127.0.0.1:PORT`
    pub(crate) host: String,
    server: Server,
    /// What it keeps.
    _directory: tempfile::TempDir,
}

enum Server {
    Process(Child),
    Container(String),
}

impl RegistryServer {
    /// Starts it, and waits until it answers. A container gets this label.
    pub(crate) fn start(by: By<'_>, label: &str) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let (server, host) = match by {
            By::Program(program) => {
                let host = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
                let config = directory.path().join("config.yml");
                let data = directory.path().join("data");
                let text = format!(
                    "version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\n\
                     storage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: '{host}'}}\n",
                    data.display()
                );
                fs::write(&config, text)?;
                let mut command = Command::new(program);
                command.arg("serve").arg(config).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
                (Server::Process(command.spawn()?), host)
            }
            By::Image(image) => {
                let publish = "127.0.0.1::5000";
                let id = docker(&["run", "--detach", "--rm", "--label", label, "--publish", publish, image])?;
                let host = docker(&["port", &id, "5000/tcp"]).map(|ports| first_line(&ports).to_owned());
                (Server::Container(id), host?)
            }
        };
        let registry = Self { host, server, _directory: directory };
        let began = Instant::now();
        while TcpStream::connect(&registry.host).is_err() {
            if began.elapsed() > START {
                return Err(Error::other(format!("the registry at {} does not answer", registry.host)));
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(registry)
    }
}

impl Drop for RegistryServer {
    fn drop(&mut self) {
        match &mut self.server {
            Server::Process(child) => {
                let _ = child.kill();
                let _ = child.wait();
            }
            Server::Container(id) => {
                let _ = docker(&["rm", "--force", "--volumes", id]);
            }
        }
    }
}

fn docker(arguments: &[&str]) -> Result<String> {
    let run = Command::new("docker").args(arguments).stdin(Stdio::null()).output()?;
    if !run.status.success() {
        return Err(Error::other(String::from_utf8_lossy(&run.stderr).trim().to_owned()));
    }
    Ok(String::from_utf8_lossy(&run.stdout).trim().to_owned())
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}
