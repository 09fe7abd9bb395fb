//! A self-contained HTML page, put together from headings, paragraphs, tables, bars, pictures, sound and samples.
//!
//! One file, no network, no script: style, pictures and sound are inside, and the page itself forbids anything else to be
//! loaded. Every text is escaped here, so a sample full of `<script>` is shown, not run. What a run's page says is in
//! [`super::run_page`].

use std::fmt::Write;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::plot::Svg;

/// A sample longer than this is cut, and says so.
const MAX_SAMPLE_CHARS: usize = 4000;

const STYLE: &str = "\
:root{color-scheme:light}\
body{margin:2rem auto;max-width:68rem;padding:0 1rem;background:#fff;color:#222;font:16px/1.5 system-ui,sans-serif}\
h1{font-size:1.7rem;margin:0 0 .5rem}h2{font-size:1.25rem;margin:2.5rem 0 .75rem;border-bottom:1px solid #ddd}\
p{max-width:46rem}nav{margin:.5rem 0}nav a{margin-right:1rem}a{color:#0072b2}\
table{border-collapse:collapse;margin:.75rem 0;font-size:.95rem}\
th,td{text-align:left;padding:.2rem 1.25rem .2rem 0;border-bottom:1px solid #eee;vertical-align:top}\
th{color:#555;font-weight:600}td.number,th.number{text-align:right;font-variant-numeric:tabular-nums}\
td.bar{width:24rem;vertical-align:middle}td.bar div{height:.8rem;background:#b8b8b8}tr.ours{font-weight:600}\
tr.ours td.bar div{background:#d55e00}\
figure{margin:1rem 0}figure img{max-width:100%;height:auto}figcaption{color:#555;font-size:.9rem}\
figure.pixels img{image-rendering:pixelated}audio{display:block;max-width:100%}\
pre{margin:.25rem 0 1.25rem;padding:.75rem 1rem;background:#f6f6f4;border-left:3px solid #bbb;white-space:pre-wrap;\
overflow-wrap:anywhere;font:14px/1.45 ui-monospace,monospace}\
h3{font-size:1.05rem;margin:1.75rem 0 .5rem}h4{font-size:1rem;margin:1.25rem 0 .25rem;color:#555}code{font:14px ui-monospace,monospace}";

/// One bar of a comparison.
#[derive(Clone, Debug, PartialEq)]
pub struct Bar {
    /// What it is.
    pub name: String,
    /// How long it is; not negative.
    pub value: f64,
    /// Whether it is the one the page is about.
    pub ours: bool,
}

/// A page being put together, in the order of its parts.
#[derive(Clone, Debug)]
pub struct Page {
    title: String,
    sections: Vec<String>,
    body: String,
}

impl Page {
    /// An empty page.
    pub fn new(title: impl Into<String>) -> Self {
        Page { title: title.into(), sections: Vec::new(), body: String::new() }
    }

    /// Begins a section; a page of several lists them at its top.
    pub fn section(&mut self, heading: &str) -> &mut Self {
        self.sections.push(heading.to_owned());
        self.put(format_args!("<h2 id=\"section-{}\">{}</h2>\n", self.sections.len(), escaped(heading)))
    }

    /// A smaller heading.
    pub fn heading(&mut self, heading: &str) -> &mut Self {
        self.put(format_args!("<h3>{}</h3>\n", escaped(heading)))
    }

    /// A paragraph of plain text.
    pub fn paragraph(&mut self, text: &str) -> &mut Self {
        self.put(format_args!("<p>{}</p>\n", escaped(text)))
    }

    /// A table; a column whose every cell is a number is set to the right.
    ///
    /// # Panics
    /// If a row has not as many cells as there are headings.
    pub fn table(&mut self, headings: &[&str], rows: &[Vec<String>]) -> &mut Self {
        assert!(rows.iter().all(|r| r.len() == headings.len()), "each row has one cell per heading");
        let is_number = |cell: &String| cell.replace([',', '\u{202f}'], "").parse::<f64>().is_ok();
        let class = |i: usize| {
            let numbers = !rows.is_empty() && rows.iter().all(|r| is_number(&r[i]));
            if numbers { " class=\"number\"" } else { "" }
        };
        let classes: Vec<&str> = (0..headings.len()).map(class).collect();
        self.put(format_args!("<table>\n<tr>"));
        for (heading, class) in headings.iter().zip(&classes) {
            self.put(format_args!("<th{class}>{}</th>", escaped(heading)));
        }
        self.put(format_args!("</tr>\n"));
        for row in rows {
            self.put(format_args!("<tr>"));
            for (cell, class) in row.iter().zip(&classes) {
                self.put(format_args!("<td{class}>{}</td>", escaped(cell)));
            }
            self.put(format_args!("</tr>\n"));
        }
        self.put(format_args!("</table>\n"))
    }

    /// Bars under each other, all from zero; `unit` names what they measure. Values that are not finite have no bar.
    pub fn bars(&mut self, unit: &str, bars: &[Bar]) -> &mut Self {
        let longest = bars.iter().map(|b| b.value).filter(|v| v.is_finite()).fold(f64::MIN_POSITIVE, f64::max);
        self.put(format_args!("<table>\n<tr><th></th><th class=\"number\">{}</th><th></th></tr>\n", escaped(unit)));
        for bar in bars {
            let class = if bar.ours { " class=\"ours\"" } else { "" };
            let width = if bar.value.is_finite() { (bar.value / longest * 100.0).max(0.0) } else { 0.0 };
            self.put(format_args!(
                "<tr{class}><td>{}</td><td class=\"number\">{:.3}</td><td class=\"bar\"><div style=\"width:{width:.1}%\">\
                 </div></td></tr>\n",
                escaped(&bar.name),
                bar.value
            ));
        }
        self.put(format_args!("</table>\n"))
    }

    /// A picture drawn by this crate.
    pub fn picture(&mut self, svg: &Svg, caption: &str) -> &mut Self {
        self.image("image/svg+xml", svg.as_str().as_bytes(), caption, "")
    }

    /// A PNG, shown without smoothing: sampled images are small.
    pub fn pixels(&mut self, png: &[u8], caption: &str) -> &mut Self {
        self.image("image/png", png, caption, " class=\"pixels\"")
    }

    /// A WAV file with a player, and a PNG of it above where there is one.
    pub fn sound(&mut self, wav: &[u8], png: Option<&[u8]>, caption: &str) -> &mut Self {
        let (data, caption) = (BASE64_STANDARD.encode(wav), escaped(caption));
        let seen =
            |png| format!("<img alt=\"{caption}\" src=\"data:image/png;base64,{}\">", BASE64_STANDARD.encode(png));
        self.put(format_args!(
            "<figure>{}<audio controls src=\"data:audio/wav;base64,{data}\"></audio><figcaption>{caption}</figcaption>\
             </figure>\n",
            png.map(seen).unwrap_or_default()
        ))
    }

    /// A text as it is, line by line, under a label.
    pub fn sample(&mut self, label: &str, text: &str) -> &mut Self {
        let shown: String = text.chars().take(MAX_SAMPLE_CHARS).collect();
        let more = text.chars().count() - shown.chars().count();
        let cut = if more > 0 { format!("\n… and {more} more characters") } else { String::new() };
        self.put(format_args!("<h4>{}</h4>\n", escaped(label)));
        // A line end right after <pre> would be swallowed: the one written here is, instead of the text's own.
        self.put(format_args!("<pre>\n{}{cut}</pre>\n", escaped(&visible(&shown))))
    }

    /// A command to type, after what it does.
    pub fn command(&mut self, does: &str, command: &str) -> &mut Self {
        self.put(format_args!("<p>{}</p>\n<pre>\n{}</pre>\n", escaped(does), escaped(command)))
    }

    /// The page as HTML.
    pub fn html(&self) -> String {
        let title = escaped(&self.title);
        let mut contents = String::new();
        if self.sections.len() > 1 {
            for (i, section) in self.sections.iter().enumerate() {
                let _ = write!(contents, "<a href=\"#section-{}\">{}</a>", i + 1, escaped(section));
            }
            contents = format!("<nav>{contents}</nav>\n");
        }
        // The policy is a promise kept by the browser: nothing is loaded, nothing runs.
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; \
             img-src data:; media-src data:\">\n\
             <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n<style>{STYLE}</style>\n\
             </head>\n<body>\n<h1>{title}</h1>\n{contents}{}</body>\n</html>\n",
            self.body
        )
    }

    fn image(&mut self, media_type: &str, bytes: &[u8], caption: &str, class: &str) -> &mut Self {
        let (data, caption) = (BASE64_STANDARD.encode(bytes), escaped(caption));
        self.put(format_args!(
            "<figure{class}><img alt=\"{caption}\" src=\"data:{media_type};base64,{data}\"><figcaption>{caption}</figcaption>\
             </figure>\n"
        ))
    }

    fn put(&mut self, html: std::fmt::Arguments<'_>) -> &mut Self {
        self.body.write_fmt(html).expect("writing into a String does not fail");
        self
    }
}

/// The text with the five characters escaped that HTML gives a meaning, in elements and in quoted attributes.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// Control characters, which HTML forbids, as the pictures Unicode has for them: byte models sample them.
fn visible(text: &str) -> String {
    let picture = |c: char| match c {
        '\n' | '\t' => c,
        '\u{0}'..='\u{1f}' => char::from_u32(0x2400 + c as u32).unwrap_or('\u{fffd}'),
        '\u{7f}' => '\u{2421}',
        '\u{80}'..='\u{9f}' => '\u{fffd}',
        c => c,
    };
    text.chars().map(picture).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::plot::{Mark, Plot};

    const HOSTILE: &str = "<script>alert('x')</script><img src=\"http://evil/\" onerror=1> & \"quoted\"";

    #[test]
    fn hostile_text_is_shown_and_not_run_wherever_it_stands() {
        let mut page = Page::new(HOSTILE);
        page.section(HOSTILE).section(HOSTILE).heading(HOSTILE).paragraph(HOSTILE).sample(HOSTILE, HOSTILE);
        page.command(HOSTILE, HOSTILE).table(&[HOSTILE], &[vec![HOSTILE.to_owned()]]);
        page.bars(HOSTILE, &[Bar { name: HOSTILE.into(), value: 1.0, ours: true }]);
        page.pixels(b"png", HOSTILE).sound(b"wav", Some(b"png"), HOSTILE);
        page.picture(&Plot::new(HOSTILE, "", "").svg().unwrap(), HOSTILE);
        let html = page.html();
        for forbidden in ["<script", "http://evil/\"", "onerror=1>"] {
            assert!(!html.contains(forbidden), "{forbidden}");
        }
        assert!(html.contains("&lt;script&gt;alert(&#39;x&#39;)"));
    }

    #[test]
    fn nothing_in_a_page_is_loaded_from_elsewhere() {
        let svg = Plot::new("t", "x", "y").series("s", Mark::Line, vec![(0.0, 1.0), (1.0, 2.0)]).svg().unwrap();
        let html = Page::new("t").picture(&svg, "c").pixels(b"png", "c").sound(b"wav", Some(b"png"), "c").html();
        let sources = html.split("src=\"").skip(1).collect::<Vec<_>>();
        assert!(sources.len() == 4 && sources.iter().all(|s| s.starts_with("data:")));
        assert!(!html.contains("http://") && !html.contains("https://") && html.contains("default-src 'none'"));
    }

    #[test]
    fn every_element_that_is_opened_is_closed() {
        let mut page = Page::new("t");
        page.section("a").paragraph("p").table(&["x"], &[vec!["1".into()]]).bars("nats", &[]).sample("l", "s");
        let html = page.command("d", "c").pixels(b"", "c").html();
        for element in ["html", "head", "body", "table", "tr", "td", "th", "pre", "p", "h1", "h2", "h3", "h4", "figure"]
        {
            let opened = html.matches(&format!("<{element}>")).count() + html.matches(&format!("<{element} ")).count();
            assert_eq!(opened, html.matches(&format!("</{element}>")).count(), "{element}");
        }
    }

    #[test]
    fn a_sample_keeps_its_first_empty_line_and_shows_control_characters() {
        let html = Page::new("t").sample("l", "\nROMEO:\u{0}\u{7}").html();
        assert!(html.contains("<pre>\n\nROMEO:\u{2400}\u{2407}</pre>"));
    }

    #[test]
    fn a_long_sample_is_cut_and_says_so() {
        let html = Page::new("t").sample("l", &"ß".repeat(MAX_SAMPLE_CHARS + 7)).html();
        assert!(html.contains("and 7 more characters"));
    }

    #[test]
    fn bars_are_in_proportion_and_bad_values_have_none() {
        let bar = |value: f64| Bar { name: "b".into(), value, ours: false };
        let html = Page::new("t").bars("nats", &[bar(4.0), bar(1.0), bar(f64::NAN)]).html();
        for width in ["width:100.0%", "width:25.0%", "width:0.0%"] {
            assert!(html.contains(width), "{width}");
        }
    }

    #[test]
    fn columns_of_numbers_are_set_to_the_right() {
        let html = Page::new("t").table(&["a", "b"], &[vec!["x".into(), "1,000.5".into()]]).html();
        assert!(html.contains("<td>x</td><td class=\"number\">1,000.5</td>"));
    }
}
