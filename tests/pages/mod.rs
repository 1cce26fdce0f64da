//! Pages generated from a program's command line: its reference and its man pages; and the AWS calls in the sources,
//! which the pages about permissions are about.
//!
//! Both binaries' `tests/docs.rs` include this file. What is checked in has to be what the code says;
//! `cargo xtask docs` (`MINION_WRITE_DOCS=1`) writes it instead.
pub(crate) mod calls;

use clap::Command;
use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
};

/// The directory `docs` of the workspace.
pub(crate) fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs")
}

fn writing() -> bool {
    env::var_os("MINION_WRITE_DOCS").is_some()
}

/// Compares a page with what is checked in, or writes it.
pub(crate) fn same(file: &str, generated: &str) {
    let path = docs().join(file);
    if writing() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, generated).unwrap();
    }
    let there = fs::read_to_string(&path).unwrap_or_default();
    assert!(there == generated, "docs/{file} is stale; `cargo xtask docs` rewrites it");
}

/// `docs/commands/<program>.md`: every command with its arguments and flags.
pub(crate) fn reference(command: &Command) {
    let name = command.get_name().to_owned();
    let options = clap_markdown::MarkdownOptions::new().title(format!("`{name}`: all commands")).show_footer(false);
    let page = clap_markdown::help_markdown_command_custom(&fenced(command.clone()), &options);
    let (title, rest) = page.split_once("\n\n").unwrap();
    let (_, commands) = rest.split_once("\n\n").unwrap();
    let page = format!(
        "<!-- Generated from the command line's definition; `cargo xtask docs` rewrites it. -->\n{title}\n\n\
         What `{name} help COMMAND` prints, on one page. The flags of `{name}` itself are flags of every command.\n\n\
         {}",
        commands.replace("**Command Overview:**\n\n", "")
    );
    // A command that lists when it is alone has two usages.
    let page = page.replace("[OPTIONS]\n       ", &format!("[OPTIONS]` or `{name} "));
    let lines: Vec<&str> = page.lines().map(str::trim_end).collect();
    same(&format!("commands/{name}.md"), &format!("{}\n", lines.join("\n").trim_end()));
}

/// Markdown would run the lines of a text below the flags together.
fn fenced(mut command: Command) -> Command {
    if let Some(text) = command.get_after_help().map(ToString::to_string)
        && text.contains('\n')
    {
        command = command.after_help(format!("```text\n{text}\n```"));
    }
    let names: Vec<String> = command.get_subcommands().map(|c| c.get_name().to_owned()).collect();
    names.into_iter().fold(command, |whole, name| whole.mut_subcommand(name, fenced))
}

/// `docs/man/<program>*.1`: a man page for each command, and none for a command that is no more.
pub(crate) fn man_pages(command: Command) {
    let name = command.get_name().to_owned();
    let source = format!("{name} {}", command.get_version().unwrap());
    let mut whole = command.disable_help_subcommand(true);
    whole.build();
    let mut pages = BTreeMap::new();
    render(&whole, &source, &mut pages);
    for (file, text) in &pages {
        same(&format!("man/{file}"), text);
    }
    for file in pages_of(&docs().join("man"), &name).keys().filter(|file| !pages.contains_key(*file)) {
        if writing() {
            fs::remove_file(docs().join("man").join(file)).unwrap();
        } else {
            panic!("docs/man/{file} is the page of no command; `cargo xtask docs` removes it");
        }
    }
}

/// The man page of a command, and those of the commands below it.
fn render(command: &Command, source: &str, pages: &mut BTreeMap<String, String>) {
    let page = clap_mangen::Man::new(command.clone()).source(source).manual("Overlord & Minion");
    let mut text = Vec::new();
    page.render(&mut text).unwrap();
    pages.insert(page.get_filename(), String::from_utf8(text).unwrap());
    command.get_subcommands().filter(|c| !c.is_hide_set()).for_each(|c| render(c, source, pages));
}

/// The program's man pages in a directory, by file name.
fn pages_of(directory: &Path, program: &str) -> BTreeMap<String, String> {
    let entries = fs::read_dir(directory).into_iter().flatten().map(Result::unwrap);
    let named = entries.map(|entry| (entry.file_name().into_string().unwrap(), entry.path()));
    named
        .filter(|(file, _)| file.starts_with(&format!("{program}.")) || file.starts_with(&format!("{program}-")))
        .map(|(file, path)| (file, fs::read_to_string(path).unwrap()))
        .collect()
}
