//! Text in markup. Whatever comes from a rules document goes through [`escape`].

use std::fmt::Write as _;

/// Text as it stands between tags and in attributes.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // Others have no place in markup, escaped or not.
            char if char.is_control() => out.push('\u{fffd}'),
            char => out.push(char),
        }
    }
    out
}

/// A table. The first cell of a row is its head; the others are read from the right if they are numbers.
pub(crate) struct Table {
    pub(crate) caption: String,
    pub(crate) head: Vec<String>,
    /// Whether each column has numbers.
    pub(crate) is_number: Vec<bool>,
    pub(crate) rows: Vec<Vec<String>>,
}

impl Table {
    /// In a box of its own that scrolls, also by keyboard.
    pub(crate) fn write(&self, out: &mut String) {
        let caption = escape(&self.caption);
        // Writing to a text cannot fail.
        _ = write!(
            out,
            "<div class=\"scroll\" role=\"region\" aria-label=\"{caption}\" tabindex=\"0\"><table>\n\
             <caption>{caption}</caption>\n<thead><tr>"
        );
        for (at, head) in self.head.iter().enumerate() {
            _ = write!(out, "<th scope=\"col\"{}>{}</th>", self.class(at), escape(head));
        }
        out.push_str("</tr></thead>\n<tbody>\n");
        for row in &self.rows {
            out.push_str("<tr>");
            for (at, cell) in row.iter().enumerate() {
                let (class, cell) = (self.class(at), escape(cell));
                _ = match at {
                    0 => write!(out, "<th scope=\"row\"{class}>{cell}</th>"),
                    _ => write!(out, "<td{class}>{cell}</td>"),
                };
            }
            out.push_str("</tr>\n");
        }
        out.push_str("</tbody></table></div>\n");
    }

    fn class(&self, column: usize) -> &'static str {
        if self.is_number.get(column) == Some(&true) { " class=\"number\"" } else { "" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_is_markup() {
        assert_eq!(escape("<b x='1'>&\"\n\u{7f}é"), "&lt;b x=&#39;1&#39;&gt;&amp;&quot;\u{fffd}\u{fffd}é");
        let table = Table {
            caption: "a<b".to_owned(),
            head: vec!["level".to_owned(), "<i>".to_owned()],
            is_number: vec![true, false],
            rows: vec![vec!["1".to_owned(), "</td>".to_owned()]],
        };
        let mut out = String::new();
        table.write(&mut out);
        assert!(out.contains("<th scope=\"row\" class=\"number\">1</th><td>&lt;/td&gt;</td>"));
        assert!(out.contains("a&lt;b") && !out.contains("<i>"));
    }
}
