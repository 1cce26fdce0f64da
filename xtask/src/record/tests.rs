//! A recording of ordinary commands.
use super::{
    picture,
    screen::{Ink, Row, Run, Screen},
    session::{Session, cut},
    story::{Step, Story},
};
use std::time::Duration;

fn play(text: &str) -> (Story, Vec<super::session::Shot>) {
    let story: Story = text.parse().unwrap();
    let mut session = Session::new(&story, std::env::temp_dir());
    for step in &story.steps {
        session.play(step).unwrap();
    }
    (story, session.end())
}

fn text(screen: &Screen) -> String {
    let row = |row: &Row| row.0.iter().map(|run| run.text.clone()).collect::<Vec<_>>().join(" ");
    screen.iter().map(row).collect::<Vec<_>>().join("\n").trim_end().to_owned()
}

#[test]
fn a_story_is_read_or_its_line_is_named() {
    let story: Story = "title T\ncolumns 40\n; note\n\n# say  it\n$ a b\n! c\n= N v w\nclear\n".parse().unwrap();
    assert_eq!((story.title.as_str(), story.columns, story.rows), ("T", 40, 24));
    let set = Step::Set("N".into(), "v w".into());
    let steps = vec![Step::Say("say  it".into()), Step::Run("a b".into()), Step::Behind("c".into()), set, Step::Clear];
    assert_eq!(story.steps, steps);
    for wrong in ["run x", "rows 1", "rows x", "= N"] {
        let error = format!("{:#}", wrong.parse::<Story>().unwrap_err());
        assert!(error.contains("line 1") && error.contains(wrong), "{error}");
    }
    include_str!("story.txt").parse::<Story>().unwrap();
}

#[test]
fn commands_run_on_a_terminal_and_are_drawn() {
    let (story, shots) = play(
        "title A <session> & more\ncolumns 40\nrows 12\n= GREETING hello\n# what is said\n\
         $ printf '\\033[31;1mred\\033[0m %s\\n' $GREETING; test -t 1 && stty size\n! true\n$ printf '<a> & b'\n",
    );
    let last = text(&shots.last().unwrap().screen);
    assert!(last.starts_with("# what is said\n$ printf"), "{last}");
    assert!(last.contains("red hello\n12 40\n") && last.ends_with("<a> & b\n$"), "{last}");
    let rows = &shots.last().unwrap().screen;
    let red = |run: &&Run| run.text == "red" && run.look.bold && run.look.ink == Ink::Named(1);
    assert!(rows.iter().flat_map(|row| &row.0).any(|run| red(&run)), "{rows:?}");

    let picture = picture::draw(&story, &shots);
    let mut used = 0;
    for event in svg::read(&picture).unwrap() {
        if let svg::parser::Event::Tag("use", _, attributes) = &event {
            used += 1;
            let id = attributes["href"].trim_start_matches('#').to_owned();
            assert!(picture.contains(&format!("id=\"{id}\"")), "{id}");
        }
        assert!(!matches!(event, svg::parser::Event::Error(_)), "{event:?}");
    }
    assert!(used > 10);
    assert!(picture.contains(">&lt;a&gt; &amp; b</text>") && picture.contains("prefers-reduced-motion"));
    for foreign in ["<script", "@import", "url(", "https:"] {
        assert!(!picture.contains(foreign), "{foreign}");
    }
}

#[test]
fn a_command_that_fails_ends_the_recording() {
    let story: Story = "$ echo why; exit 3".parse().unwrap();
    let mut session = Session::new(&story, std::env::temp_dir());
    let error = session.play(&story.steps[0]).unwrap_err().to_string();
    assert!(error.contains("why") && error.contains('3'), "{error}");
}

#[test]
fn waits_are_cut() {
    let screen = |n: u64| vec![Row(vec![Run { column: 0, width: 1, text: n.to_string(), look: Default::default() }])];
    let total = |shots: &[super::session::Shot]| shots.iter().map(|shot| shot.lasts).sum::<Duration>();
    let minute = cut(vec![(Duration::ZERO, screen(0)), (Duration::from_secs(60), screen(1))]);
    assert_eq!(minute.len(), 2);
    assert!(total(&minute) < Duration::from_secs(1), "{:?}", total(&minute));
    // A progress bar of a minute, ten times a second.
    let busy = cut((0..600).map(|n| (Duration::from_millis(100 * n), screen(n))).collect());
    assert!(busy.len() <= 32 && total(&busy) < Duration::from_secs(5), "{} {:?}", busy.len(), total(&busy));
    assert_eq!(busy.last().unwrap().screen, screen(599));
}
