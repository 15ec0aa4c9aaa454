//! What the pages are made of: markup, tables and pictures with axes. A page loads nothing and runs no script.

pub(crate) mod html;
pub(crate) mod plot;

use std::fmt::Write as _;

use html::escape;
use plot::Plot;

const STYLE: &str = include_str!("drawing/page.css");

/// A picture with what stands above and below it.
pub(crate) struct Figure<'a> {
    pub(crate) plot: Plot<'a>,
    /// Classes and names of what is drawn.
    pub(crate) legend: Vec<(&'static str, String)>,
    /// What to know beside; may be empty.
    pub(crate) note: String,
}

impl Figure<'_> {
    pub(crate) fn write(&self, out: &mut String) {
        // Writing to a text cannot fail.
        _ = write!(out, "<figure><figcaption><b>{}</b>", escape(&self.plot.title));
        if !self.legend.is_empty() {
            out.push_str("<span class=\"legend\">");
            for (class, name) in &self.legend {
                _ = write!(out, "<span class=\"key {class}\">{}</span> ", escape(name));
            }
            out.push_str("</span>");
        }
        out.push_str("</figcaption>\n");
        self.plot.write(out);
        if !self.note.is_empty() {
            _ = write!(out, "<p class=\"note\">{}</p>", escape(&self.note));
        }
        out.push_str("</figure>\n");
    }
}

/// The beginning of a page, up to what [`END`] closes; also well-formed XML, which is how the tests read it.
pub(crate) fn begin(title: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <meta name=\"color-scheme\" content=\"light dark\"/>\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"/>\n\
         <title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n",
        escape(title)
    )
}

/// Closes a page.
pub(crate) const END: &str = "</main>\n</body>\n</html>\n";

/// Opens a section.
pub(crate) fn section(out: &mut String, title: &str, lead: &str) {
    _ = writeln!(out, "<section><h2>{}</h2>", escape(title));
    if !lead.is_empty() {
        _ = writeln!(out, "<p class=\"lead\">{}</p>", escape(lead));
    }
}

/// Figures beside each other.
pub(crate) fn grid(out: &mut String, figures: &[Figure<'_>]) {
    out.push_str("<div class=\"grid\">\n");
    for figure in figures {
        figure.write(out);
    }
    out.push_str("</div>\n");
}
