//! What is on the screen, and where.

use super::chromium::Chromium;

/// Defines `painted(x, y, wide, high)`, the pixels of a copy of the chart, and `colour(name)`.
pub(crate) const PIXELS: &str = "
    const copy = document.createElement('canvas');
    Object.assign(copy, { width: chart.width, height: chart.height });
    const context = copy.getContext('2d', { willReadFrequently: true });
    const painted = (...part) => context.getImageData(...part).data;
    const colour = name => {
        context.fillStyle = name;
        context.fillRect(0, 0, 1, 1);
        return painted(0, 0, 1, 1);
    };";

/// How many pixels of the chart, right of the names and below the ruler, have this colour.
pub(crate) fn pixels(browser: &mut Chromium, colour: &str) -> f64 {
    browser.number(&format!(
        "(() => {{
            {PIXELS}
            const [r, g, b] = colour({colour});
            context.drawImage(chart, 0, 0);
            const seen = painted(LABELS, AXIS, chart.width - LABELS, chart.height - AXIS);
            let count = 0;
            for (let at = 0; at < seen.length; at += 4) {{
                if (Math.abs(seen[at] - r) + Math.abs(seen[at + 1] - g) + Math.abs(seen[at + 2] - b) < 12) count += 1;
            }}
            return count;
        }})()"
    ))
}

/// The point of the window at which the line from request to answer of an operation stands.
pub(crate) fn point_of(browser: &mut Chromium, op: &str) -> (f64, f64) {
    let x = browser.number(&format!(
        "chart.getBoundingClientRect().left + (toX(placeOf({op}.invoked)) + toX(placeOf(closing({op})))) / 2"
    ));
    let y = browser.number(&format!(
        "(() => {{
            const [lane, y] = lanesShown().find(([lane]) => lane.rows.has(homes.get({op})));
            return chart.getBoundingClientRect().top + rowTop(y, lane.rows.get(homes.get({op}))) + BAR + 7;
        }})()"
    ));
    (x, y)
}

pub(crate) fn width(browser: &mut Chromium) -> f64 {
    browser.number("view.to - view.from")
}

/// The middle of the chart, in the window.
pub(crate) fn middle(browser: &mut Chromium) -> (f64, f64) {
    let x = browser.number("chart.getBoundingClientRect().left + LABELS + (width - LABELS) / 2");
    let y = browser.number("chart.getBoundingClientRect().top + AXIS + (height - AXIS) / 2");
    (x, y)
}

pub(crate) fn click(browser: &mut Chromium, id: &str) {
    let at = |side: &str, size: &str| {
        format!("(box => box.{side} + box.{size} / 2)($('{id}').getBoundingClientRect())")
    };
    let point = (browser.number(&at("left", "width")), browser.number(&at("top", "height")));
    browser.pointer("mousePressed", point, 0.0);
    browser.pointer("mouseReleased", point, 0.0);
}

/// Each operation of the core is inside the window and its number is painted there in the colour of what is wrong.
pub(crate) fn assert_the_violation_is_visible(browser: &mut Chromium) {
    let count = browser.number("core.length");
    assert!(count >= 2.0, "{count} operations in the core");
    for index in 0..10 {
        if f64::from(index) >= count {
            break;
        }
        let op = format!("core[{index}]");
        let (x, y) = point_of(browser, &op);
        assert!(x > 0.0 && x < f64::from(super::WINDOW.0), "{op} at x {x}");
        assert!(y > 0.0 && y < f64::from(super::WINDOW.1), "{op} at y {y}");
        let painted = browser.holds(&format!(
            "(() => {{
                {PIXELS}
                const wrong = colour(ink.wrong), box = chart.getBoundingClientRect();
                context.drawImage(chart, 0, 0);
                const near = painted({x} - box.left - 6, {y} - box.top - 1, 2, 3);
                return [0, 1, 2].every(part => Math.abs(near[part] - wrong[part]) < 40);
            }})()"
        ));
        assert!(painted, "the number of {op} is not painted at {x}, {y}");
    }
}
