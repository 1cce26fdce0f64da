//! Images on a real container engine: built, tried out, pushed.
use crate::support::{Engine, Run, Running};
use std::{
    fs,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

/// A `minion` without settings and without credentials for AWS.
fn minion(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_minion"));
    command.args(arguments).env_clear().env("HOME", home).env("PATH", "/usr/bin:/bin").env("TERM", "dumb");
    command.envs(std::env::var_os("DOCKER_HOST").map(|host| ("DOCKER_HOST", host)));
    command.current_dir(home);
    command
}

fn run(engine: &Engine, arguments: &[&str]) -> Run {
    Running::start(minion(engine.directory.path(), arguments)).wait()
}

/// A port that is free now.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn write(engine: &Engine, name: &str, text: &str) -> String {
    let path = engine.directory.path().join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

fn get(port: u16) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    text.contains("200 OK").then_some(text)
}

/// An instance type of this computer's processor: an image for another one is refused.
fn instance_type() -> &'static str {
    if cfg!(target_arch = "aarch64") { "t4g.small" } else { "t3.small" }
}

/// Nothing of a run is left: no container, no volume.
fn nothing_is_left(engine: &Engine, image: &str) {
    let ancestor = format!("ancestor={image}");
    assert_eq!(engine.docker(&["ps", "--all", "--quiet", "--filter", &ancestor]), "");
    // Another test's volumes are in no container yet for a moment.
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        let volumes = engine.volumes();
        if volumes.is_empty() {
            return;
        }
        assert!(Instant::now() < until, "volumes are left: {volumes:?}");
        thread::sleep(Duration::from_millis(100));
    }
}

/// Writes what it sees, and serves it.
const SERVER: &str = r#"
b=/bin/busybox
{
    echo "user $($b id -u):$($b id -g)"
    echo "greeting $GREETING"
    echo "password $PASSWORD"
    $b df -m /scratch
    $b cat /proc/self/status
} >/data/index.html
echo started
exec $b httpd -f -p "$PORT" -h /data
"#;

#[test]
fn an_image_is_built_and_tried_out() {
    let Some(engine) = Engine::get("tried_out") else { return };
    let image = format!("minion-test/tried-out:{}", std::process::id());
    let context = engine.context("app", SERVER);
    let built = run(&engine, &["image", "build", context.to_str().unwrap(), "--tag", &image]).ok();
    assert_eq!(built.stdout, format!("{image}\n"), "the image's name is the data");
    let built = built.says(&["Step 1/", "Next:", "minion image run MANIFEST"]);
    drop(built);
    let port = free_port();
    let manifest = write(
        &engine,
        "manifest.yaml",
        &format!(
            "application_name: hello\ninstance_type: {}\nexposed_ports: [{port}]\nmemory_mb: 64\nenvironment: {{GREETING: manifest}}
secrets: {{PASSWORD: 'ssm:/hello/password'}}\nfilesystems: [{{mountpoint: /scratch, size_mb: 16}}, {{type: ebs, mountpoint: /data, size_gb: 1}}]
health_check: {{interval: 5, timeout: 2, healthy_threshold: 2}}\n",
            instance_type()
        ),
    );
    run(&engine, &["image", "run", &manifest, &image, "--check"])
        .fails(2)
        .says(&["PASSWORD (ssm:/hello/password)", "--secrets"]);
    let secrets = write(&engine, "secrets.env", "PASSWORD=s3cret\n");
    let port_variable = format!("PORT={port}");
    let arguments =
        ["image", "run", &manifest, &image, "--secrets", &secrets, "--env", "GREETING=flag", "--env", &port_variable];
    let check = run(&engine, &[&arguments[..], &["--check"]].concat()).ok();
    check.says(&["healthy after", "Removing the container.. OK"]).hides(&["s3cret"]);
    nothing_is_left(&engine, &image);

    // Followed until Ctrl-C; another program has the port.
    let taken = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let following = Running::start(minion(engine.directory.path(), &arguments));
    let deadline = Instant::now() + Duration::from_secs(30);
    let page = loop {
        let published = engine.docker(&["ps", "--filter", &format!("ancestor={image}"), "--format", "{{.Ports}}"]);
        let outside = published.split("127.0.0.1:").nth(1).and_then(|p| p.split("->").next()?.parse().ok());
        if let Some(page) = outside.and_then(get) {
            break page;
        }
        assert!(Instant::now() < deadline, "it does not answer: {published}");
        std::thread::sleep(Duration::from_millis(100));
    };
    for wanted in ["user 1000:1000", "greeting flag", "password s3cret", " 16 ", "NoNewPrivs:\t1"] {
        assert!(page.contains(wanted), "{wanted} is not in\n{page}");
    }
    std::thread::sleep(Duration::from_secs(3));
    following.interrupt();
    std::thread::sleep(Duration::from_millis(500));
    following.interrupt();
    let followed = following.wait().ok().says(&["is taken on this computer", "healthy after"]);
    assert!(followed.stdout.contains("started"), "the log is the data");
    drop(taken);
    nothing_is_left(&engine, &image);
}

#[test]
fn an_application_that_fails_is_explained() {
    let Some(engine) = Engine::get("fails") else { return };
    let manifest = |port| {
        write(
            &engine,
            "m.yaml",
            &format!("application_name: hello\ninstance_type: {}\nexposed_ports: [{port}]\n", instance_type()),
        )
    };
    let build = |name: &str, script: &str| {
        let image = format!("minion-test/{name}:{}", std::process::id());
        let context = engine.context(name, script);
        run(&engine, &["--quiet", "image", "build", context.to_str().unwrap(), "--tag", &image]).ok();
        image
    };
    let ends = build("ends", "echo no database >&2; exit 7");
    let ended = run(&engine, &["image", "run", &manifest(free_port()), &ends, "--check"]);
    ended.fails(1).says(&["exit code 7", "| no database", "start it again and again"]);
    nothing_is_left(&engine, &ends);
    let deaf = build("deaf", "echo deaf; exec /bin/busybox sleep 100");
    let failed = run(&engine, &["image", "run", &manifest(free_port()), &deaf, "--check", "--timeout", "10s"]);
    failed.fails(1).says(&["is not healthy after", "GET / on port", "nothing listens there", "| deaf"]);
    nothing_is_left(&engine, &deaf);
    let absent = run(&engine, &["image", "push", "minion-test/absent:1"]);
    absent.fails(1).says(&["has no image minion-test/absent:1", "image build --tag"]);
}

#[test]
fn builds_that_cannot_be() {
    let Some(engine) = Engine::get("builds") else { return };
    let context = engine.context("bad", "");
    let directory = context.to_str().unwrap();
    let dockerfile = |text: &str| write(&engine, "Bad", text);
    let build = |more: &[&str]| {
        run(&engine, &[&["image", "build", directory, "--file", &dockerfile_path(&engine)][..], more].concat())
    };
    dockerfile("FROM scratch\nCOPY nothing /x\n");
    build(&[]).fails(1).says(&["nothing", "cannot be built"]);
    dockerfile("FORM scratch\n");
    build(&[]).fails(1).says(&["unknown instruction", "FORM"]);
    dockerfile("FROM scratch\nRUN --mount=type=cache,target=/x y\n");
    build(&[]).fails(1).says(&["BuildKit", "docker build"]);
    build(&["--build-arg", "NOT_SET_ANYWHERE"]).fails(2).says(&["NOT_SET_ANYWHERE"]);
    build(&["--tag", "name"]).fails(2).says(&["has no tag"]);
    run(&engine, &["image", "build", "/no/such/directory"]).fails(2).says(&["/no/such/directory"]);
    let mut away = minion(engine.directory.path(), &["image", "build", directory]);
    away.env("DOCKER_HOST", "unix:///no/such.sock");
    Running::start(away).wait().fails(1).says(&["no container engine", "/no/such.sock", "DOCKER_HOST"]);
}

fn dockerfile_path(engine: &Engine) -> String {
    engine.directory.path().join("Bad").to_str().unwrap().to_owned()
}

#[test]
fn all_that_carries_a_label_goes_and_nothing_else() {
    let Some(engine) = Engine::get("labels") else { return };
    let label = format!("minion-test-label=one-{}", std::process::id());
    let other = format!("minion-test-label=other-{}", std::process::id());
    let image = format!("minion-test/labels:{}", std::process::id());
    let context = engine.context("labels", "exec /bin/busybox sleep 100");
    run(&engine, &["image", "build", context.to_str().unwrap(), "--tag", &image]).ok();
    let name = |what: &str| format!("minion-test-{what}-{}", std::process::id());
    let (kept, network, volume, container) = (name("kept"), name("network"), name("volume"), name("container"));
    engine.docker(&["volume", "create", "--label", &other, &kept]);
    engine.docker(&["network", "create", "--label", &label, &network]);
    engine.docker(&["volume", "create", "--label", &label, &volume]);
    let mounted = format!("{volume}:/data");
    let start =
        ["run", "--detach", "--name", &container, "--label", &label, "--network", &network, "--volume", &mounted];
    engine.docker(&[&start[..], &[&image]].concat());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (first, second) = runtime.block_on(async {
        let engine = docker::Engine::connect().await.unwrap();
        (engine.remove_labelled(&label).await.unwrap(), engine.remove_labelled(&label).await.unwrap())
    });
    assert_eq!((first.containers, first.networks, first.volumes), (vec![container], vec![network], vec![volume]));
    assert!(first.images.is_empty() && second.is_empty());
    let images = engine.label.clone();
    let images =
        runtime.block_on(async { docker::Engine::connect().await.unwrap().remove_labelled(&images).await.unwrap() });
    assert_eq!(images.images, [image]);
    assert_eq!(engine.docker(&["volume", "ls", "--quiet", "--filter", &format!("label={other}")]), kept);
    engine.docker(&["volume", "rm", &kept]);
}
