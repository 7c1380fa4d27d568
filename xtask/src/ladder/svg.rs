//! The ladder as a drawing, for a page that may be as narrow as a telephone.
//!
//! One row for each rung: its name and its time in words, and below them a bar of which the dark part is what
//! this rung adds. The drawing brings its own ground and its own two sets of colours, because a page that
//! shows it as an image cannot lend it any. SVG 2; Media Queries 5, "prefers-color-scheme".

use std::fmt::Write as _;

use super::Ladder;

/// The narrowest page that it is made for, in pixels at which letters keep their size.
const WIDTH: f64 = 380.0;
const MARGIN: f64 = 14.0;
const HEAD: f64 = 44.0;
const ROW: f64 = 42.0;
const FOOT: f64 = 46.0;

const STYLE: &str = "\
    .ladder { color: #1c2128; font-family: system-ui, sans-serif; }\n\
    .ladder text { fill: currentColor; font-size: 13px; }\n\
    .ladder .head { font-size: 15px; font-weight: 600; }\n\
    .ladder .foot { font-size: 11px; opacity: .75; }\n\
    .ladder .ground { fill: #ffffff; }\n\
    .ladder .below { fill: currentColor; opacity: .18; }\n\
    .ladder .added { fill: #2563c9; }\n\
    @media (prefers-color-scheme: dark) {\n\
    .ladder { color: #e3e7ec; }\n\
    .ladder .ground { fill: #171b21; }\n\
    .ladder .added { fill: #7fb0ff; }\n\
    }\n";

/// An SVG document.
pub fn draw(ladder: &Ladder) -> String {
    let height = HEAD + ROW * ladder.rungs.len() as f64 + FOOT;
    let most = ladder.rungs.iter().map(|rung| rung.median_us).fold(1.0, f64::max);
    let scale = (WIDTH - 2.0 * MARGIN) / most;
    let mut svg = String::new();
    // Writing to a text cannot fail.
    let _ = writeln!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"ladder\" viewBox=\"0 0 {WIDTH} {height}\" width=\"100%\" \
         style=\"max-width: 40rem\" role=\"img\" aria-labelledby=\"ladder-title ladder-text\">"
    );
    let _ = writeln!(
        svg,
        "<title id=\"ladder-title\">The cost ladder: what each part of a container adds</title>"
    );
    let _ = writeln!(svg, "<desc id=\"ladder-text\">{}</desc>", escape(&in_words(ladder)));
    let _ = writeln!(svg, "<style>\n{STYLE}</style>");
    let _ = writeln!(svg, "<rect class=\"ground\" width=\"{WIDTH}\" height=\"{height}\" rx=\"8\"/>");
    let _ =
        writeln!(svg, "<text class=\"head\" x=\"{MARGIN}\" y=\"28\">From a process to a container</text>");
    for (row, (rung, added)) in ladder.added().enumerate() {
        let top = HEAD + ROW * row as f64;
        // A rung that costs less than the one below has no dark part.
        let added_width = added.max(0.0) * scale;
        let below_width = rung.median_us * scale - added_width;
        let plus = if row == 0 { String::new() } else { format!(" ({:+.2})", added / 1000.0) };
        let (name, right) = (escape(&rung.name), WIDTH - MARGIN);
        let (line, bar) = (top + 13.0, top + 20.0);
        let _ = writeln!(svg, "<text x=\"{MARGIN}\" y=\"{line}\">{name}</text>");
        let _ = writeln!(
            svg,
            "<text x=\"{right}\" y=\"{line}\" text-anchor=\"end\">{:.2} ms{plus}</text>",
            rung.median_us / 1000.0
        );
        let _ = writeln!(
            svg,
            "<rect class=\"below\" x=\"{MARGIN}\" y=\"{bar}\" width=\"{below_width:.1}\" height=\"10\"/>\
             <rect class=\"added\" x=\"{:.1}\" y=\"{bar}\" width=\"{added_width:.1}\" height=\"10\"/>",
            MARGIN + below_width
        );
    }
    let foot = height - FOOT + 18.0;
    let when = format!("{}, {}, median of {} rounds", ladder.kernel, ladder.date, ladder.rounds);
    let _ =
        writeln!(svg, "<text class=\"foot\" x=\"{MARGIN}\" y=\"{foot}\">{}</text>", escape(&ladder.machine));
    let _ =
        writeln!(svg, "<text class=\"foot\" x=\"{MARGIN}\" y=\"{}\">{}</text>", foot + 15.0, escape(&when));
    svg.push_str("</svg>\n");
    svg
}

/// The same for who cannot see it.
fn in_words(ladder: &Ladder) -> String {
    let rungs =
        ladder.rungs.iter().map(|rung| format!("{}: {:.2} milliseconds", rung.name, rung.median_us / 1000.0));
    format!("Medians. {}.", rungs.collect::<Vec<_>>().join("; "))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::draw;
    use crate::ladder::example;

    #[test]
    fn every_rung_is_drawn_and_told_in_words() {
        let svg = draw(&example());
        for part in ["<title", "fork and exec: 0.50 milliseconds", "1.52 ms (+1.00)", "viewBox=\"0 0 380 "] {
            assert!(svg.contains(part), "no {part} in {svg}");
        }
        assert_eq!(svg.matches("class=\"added\"").count(), 3);
    }

    #[test]
    fn it_has_colours_for_the_light_and_for_the_dark() {
        let svg = draw(&example());
        assert!(svg.contains("prefers-color-scheme: dark") && svg.contains("currentColor"));
    }

    #[test]
    fn text_cannot_break_the_document_and_a_cheaper_rung_has_no_negative_width() {
        let mut ladder = example();
        ladder.rungs[1].median_us = 100.0;
        let svg = draw(&ladder);
        assert!(svg.contains("A &lt;fast&gt; processor") && !svg.contains("<fast>"));
        assert!(!svg.contains("width=\"-") && svg.contains("0.10 ms (-0.40)"));
    }
}
