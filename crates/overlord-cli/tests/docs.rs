//! The generated pages are what the code says.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed, and the line says where")]

#[path = "diagram/example.rs"]
mod example;
#[path = "../../../tests/pages/mod.rs"]
mod pages;
#[path = "docs/permissions.rs"]
mod permissions;

use clap::CommandFactory as _;

#[test]
fn the_command_reference_is_checked_in() {
    pages::reference(&overlord::cli::Cli::command());
}

#[test]
fn the_man_pages_are_checked_in() {
    pages::man_pages(overlord::cli::Cli::command());
}

#[test]
fn the_example_of_a_picture_is_checked_in() {
    pages::same("example-network.svg", &overlord::diagram::svg(&example::example()));
}

#[test]
fn the_permissions_are_checked_in() {
    pages::same("overlord-permissions.md", &permissions::page());
}
