//! The HTML report in a real browser: `./test --browser`, or `cargo test --test browser -- --ignored`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod chromium;
mod look;
mod pages;

use chromium::Chromium;
use leasehold_testkit::history::History;
use leasehold_testkit::report::FaultBand;
use look::{PIXELS, assert_the_violation_is_visible, click, middle, pixels, point_of, width};

const WINDOW: (u32, u32) = (1300, 850);

type Made = (History, Vec<FaultBand>);

/// Opens the page of this history, does something with it, and sees that nothing was complained of.
fn with_page(made: &Made, scheme: &str, act: impl FnOnce(&mut Chromium)) {
    let (_folder, file) = pages::page(&made.0, &made.1);
    let mut browser = Chromium::start();
    browser.open(&file, WINDOW, scheme);
    act(&mut browser);
    browser.assert_quiet();
}

#[test]
#[ignore = "opens a browser: ./test --browser"]
fn in_a_browser_it_shows_bars_and_the_violation_of_10_and_of_10_000_operations() {
    for (made, least) in
        [(pages::ten(), 5_000.0), (pages::many(500), 300.0), (pages::many(10_000), 300.0)]
    {
        for scheme in ["light", "dark"] {
            with_page(&made, scheme, |browser| {
                let said = format!("{} operations, {scheme}", made.0.len());
                let bars = pixels(browser, "ink.hues[0]");
                assert!(bars > least, "{said}: {bars} pixels of bars");
                assert!(pixels(browser, "ink.wrong") > 100.0, "{said}");
                assert_the_violation_is_visible(browser);
                let ground = browser.text("getComputedStyle(document.body).backgroundColor");
                assert_eq!(ground == "rgb(255, 255, 255)", scheme == "light", "{said}: {ground}");
            });
        }
    }
}

#[test]
#[ignore = "opens a browser: ./test --browser"]
fn in_a_browser_a_frame_draws_no_more_than_the_screen_has_room_for() {
    with_page(&(pages::busy(10_000, 2), Vec::new()), "light", |browser| {
        click(browser, "all");
        let room = browser.number(
            "lanesShown().reduce((sum, [lane]) => sum + lane.tracks.length, 0) * (width - LABELS) / CELL",
        );
        let (drawn, items) = (browser.number("drawn"), browser.number("items.length"));
        assert!(items > 2.0 * room, "{items} items with room for {room} can't show it");
        assert!(drawn > 300.0 && drawn <= room, "{drawn} marks, room for {room}");
    });
}

#[test]
#[ignore = "opens a browser: ./test --browser"]
fn in_a_browser_wheel_drag_buttons_and_keys_zoom_and_pan() {
    with_page(&pages::many(500), "light", |browser| {
        click(browser, "all");
        let point = middle(browser);
        let whole = width(browser);
        let under = format!("toPlace({} - chart.getBoundingClientRect().left)", point.0 + 50.0);
        let place = browser.number(&under);
        browser.pointer("mouseWheel", (point.0 + 50.0, point.1), -120.0);
        let near = width(browser);
        assert!(near < whole * 0.9, "the wheel zooms in: {whole} to {near}");
        let stays = (browser.number(&under) - place).abs();
        assert!(stays < whole / 1_000.0, "what is under the pointer moved by {stays}");
        browser.pointer("mouseWheel", point, 120.0);
        assert!(width(browser) > near, "the wheel zooms out");

        for _ in 0..4 {
            click(browser, "in");
        }
        let (wide, from) = (width(browser), browser.number("view.from"));
        assert!(wide < near, "the button zooms in");
        browser.pointer("mousePressed", point, 0.0);
        browser.pointer("mouseMoved", (point.0 - 100.0, point.1), 0.0);
        browser.pointer("mouseReleased", (point.0 - 100.0, point.1), 0.0);
        let moved = browser.number("view.from") - from;
        let expected = 100.0 * wide / browser.number("width - LABELS");
        assert!((moved - expected).abs() < expected / 100.0, "dragged by {moved}, not {expected}");
        assert!((width(browser) - wide).abs() < 1.0, "dragging keeps the zoom");

        click(browser, "left");
        assert!(browser.number("view.from") < from + moved, "the button moves");
        browser.eval("scroll.focus()");
        for (key, grows) in [("+", false), ("-", true)] {
            let before = width(browser);
            browser.press(key);
            assert_eq!(width(browser) > before, grows, "{key}");
        }
        let from = browser.number("view.from");
        browser.press("ArrowRight");
        assert!(browser.number("view.from") > from, "the arrow moves");
        browser.press("0");
        assert!((width(browser) - whole).abs() < 1.0, "0 shows everything");
        browser.press("v");
        assert!(width(browser) < whole, "v shows the violation");
        assert_the_violation_is_visible(browser);
        click(browser, "all");
        click(browser, "fit");
        assert_the_violation_is_visible(browser);
    });
}

#[test]
#[ignore = "opens a browser: ./test --browser"]
fn in_a_browser_hover_and_keyboard_tell_the_whole_of_an_operation() {
    with_page(&pages::ten(), "light", |browser| {
        assert!(browser.holds("tip.hidden"));
        let point = point_of(browser, "ops[4]");
        browser.pointer("mouseMoved", point, 0.0);
        let told = browser.text("tip.innerText");
        assert!(told.contains("#4 c3 try acquire"), "{told}");
        let whole = (pages::TOKEN + 2).to_string();
        assert_eq!(told.matches(&whole).count(), 2, "the token is not whole: {told}");
        assert!(told.contains("1 of the 3 that contradict each other"), "{told}");
        let bar = browser.text("barTexts(bars[2])[0]");
        assert_eq!(bar, "token …791 · ttl 30 ms");

        let paused = browser.number("chart.getBoundingClientRect().left + toX(faults[0].from) + 5");
        let lane = point_of(browser, "ops[7]").1;
        browser.pointer("mouseMoved", (paused, lane), 0.0);
        let told = browser.text("tip.innerText");
        assert!(told.contains("fault: paused") && told.contains("c2"), "{told}");
        let outside = browser.number("chart.getBoundingClientRect().left + 5");
        browser.pointer("mouseMoved", (outside, lane), 0.0);
        assert!(browser.holds("tip.hidden"), "nothing is under the pointer");
        browser.eval("document.activeElement.blur(), $('dim').focus()");
        browser.press("Tab");
        assert_eq!(browser.text("document.activeElement.id"), "scroll");
        for number in 0..3 {
            browser.press("n");
            let said = browser.text("$('said').textContent");
            assert!(said.starts_with(&format!("#{number} ")), "{said}");
            assert!(browser.text("tip.innerText").contains(&format!("#{number} ")));
        }
        browser.press("p");
        assert!(browser.text("tip.innerText").contains("#1 c2"));
        browser.press("Escape");
        assert!(browser.holds("tip.hidden && view.chosen === null"));
    });
}

#[test]
#[ignore = "opens a browser: ./test --browser"]
fn in_a_browser_faults_shade_the_time_line_of_those_they_struck() {
    with_page(&pages::ten(), "light", |browser| {
        let read = |name: &str| {
            format!(
                "(() => {{
                    {PIXELS}
                    context.drawImage(chart, 0, 0);
                    const [, y] = lanesShown().find(([lane]) => lane.name === 'c2');
                    const part = (from, to) => Array.from(painted(toX(from) + 3, y + 2, toX(to) - toX(from) - 6, TRACK));
                    window.{name} = bands.map(band => part(band.from, band.to));
                }})()"
            )
        };
        browser.eval("window.bands = [...faults], 0");
        browser.eval(&read("shaded"));
        browser.eval("faults.splice(0), redraw(), 0");
        browser.settle();
        browser.eval(&read("plain"));
        for index in 0..2 {
            let share = browser.number(&format!(
                "shaded[{index}].filter((part, at) => part !== plain[{index}][at]).length / (shaded[{index}].length * 3 / 4)"
            ));
            assert!(share > 0.8, "{share} of band {index} is shaded");
        }
    });
}

#[test]
#[ignore = "opens a browser: ./test --browser"]
fn in_a_browser_filters_lanes_and_search_choose_what_is_shown() {
    with_page(&pages::many(500), "light", |browser| {
        let choose = |id: &str, value: &str| {
            format!("$('{id}').value = '{value}', $('{id}').dispatchEvent(new Event('change')), 0")
        };
        assert_eq!(browser.number("lanes.length"), 12.0);
        browser.eval(&choose("client", "c3"));
        assert_eq!(browser.text("lanes.map(lane => lane.name).join()"), "c3");
        browser.eval(&choose("client", ""));
        browser.eval(&choose("lanes", "key"));
        assert_eq!(browser.text("lanes.map(lane => lane.name).join()"), "orders/42");
        assert!(pixels(browser, "ink.hues[0]") > 100.0);
        browser.eval(&choose("lanes", "client"));
        let from = browser.number("view.from");
        browser.eval("$('find').focus(), $('find').value = '#3', 0");
        browser.press("Enter");
        browser.settle();
        assert_eq!(browser.number("view.chosen.id"), 3.0);
        assert!(browser.number("view.from") < from, "the operation found is on the screen");
        browser.eval(&choose("axis", "order"));
        click(browser, "fit");
        assert_the_violation_is_visible(browser);
    });
}

#[test]
#[ignore = "opens a browser: ./test --browser"]
fn in_a_browser_the_colours_follow_the_reader() {
    with_page(&pages::ten(), "light", |browser| {
        let light = browser.text("ink.ground");
        browser.prefer("dark");
        browser.settle();
        assert_ne!(browser.text("ink.ground"), light);
        assert!(pixels(browser, "ink.hues[0]") > 100.0, "bars in the new colour");
    });
}

#[test]
#[ignore = "opens a browser: ./test --browser"]
fn in_a_browser_labels_are_only_ever_text() {
    for label in ["</script><script>hit()</script>", "<img src=x onerror=hit()>", "\"'`${hit()}"] {
        with_page(&pages::named(label), "light", |browser| {
            assert_eq!(browser.text("ops[0].keys[0]"), label);
            browser.eval("scroll.focus()");
            browser.press("n");
            assert!(browser.text("tip.innerText").contains(label), "the tip shows another text");
            assert_eq!(browser.number("document.images.length"), 0.0);
            assert_eq!(browser.number("document.scripts.length"), 2.0);
        });
    }
}
