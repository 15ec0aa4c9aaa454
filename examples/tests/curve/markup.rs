//! A reader for well-formed markup, as strict as XML about tags, attributes and characters that must be escaped.

use std::collections::BTreeSet;

/// What stands in a page.
#[derive(Debug, Default)]
pub(crate) struct Page {
    /// Names of tags, in order.
    pub(crate) tags: Vec<String>,
    /// Attributes of all tags.
    pub(crate) attributes: Vec<(String, String)>,
}

impl Page {
    /// Reads a page; panics at what is not well-formed.
    pub(crate) fn read(text: &str) -> Self {
        let mut page = Self::default();
        let mut open: Vec<&str> = Vec::new();
        let mut rest = text.strip_prefix("<!DOCTYPE html>\n").expect("a doctype");
        while let Some(at) = rest.find('<') {
            let (between, tag) = rest.split_at(at);
            // A style sheet has no entities, and neither of the two characters that would need them.
            check_text(between);
            let end = tag.find('>').expect("a tag ends");
            let inside = tag.get(1..end).unwrap();
            rest = tag.get(end + 1..).unwrap();
            if let Some(name) = inside.strip_prefix('/') {
                assert_eq!(open.pop(), Some(name), "closed in order, before {rest:.60}");
                continue;
            }
            let (inside, is_empty) = inside.strip_suffix('/').map_or((inside, false), |inside| (inside, true));
            let (name, attributes) = inside.split_once(' ').unwrap_or((inside, ""));
            assert!(
                !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()),
                "<{inside}>"
            );
            page.tags.push(name.to_owned());
            page.attributes.extend(attributes_of(attributes));
            if !is_empty {
                open.push(name);
            }
        }
        assert!(open.is_empty() && rest.trim().is_empty(), "left open: {open:?}");
        page.check_ids();
        page
    }

    /// Ids are unique, and whatever is named by one is there.
    fn check_ids(&self) {
        let values = |wanted: &str| {
            let wanted = wanted.to_owned();
            self.attributes.iter().filter(move |(name, _)| *name == wanted).map(|(_, value)| value.as_str())
        };
        let ids: BTreeSet<_> = values("id").collect();
        assert_eq!(ids.len(), values("id").count(), "unique ids");
        assert!(values("aria-labelledby").flat_map(str::split_whitespace).all(|id| ids.contains(id)));
    }
}

/// `a="b" c="d"`.
fn attributes_of(mut text: &str) -> Vec<(String, String)> {
    let mut attributes = Vec::new();
    while !text.is_empty() {
        let (name, value) = text.split_once("=\"").expect("attributes have values in quotes");
        let (value, rest) = value.split_once('"').expect("quotes are closed");
        assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b':')), "{name}");
        check_text(value);
        attributes.push((name.to_owned(), value.to_owned()));
        text = rest.trim_start();
    }
    let names: BTreeSet<_> = attributes.iter().map(|(name, _)| name.clone()).collect();
    assert_eq!(names.len(), attributes.len(), "each attribute once");
    attributes
}

fn check_text(text: &str) {
    for after in text.split('&').skip(1) {
        let entity = after.split(';').next().unwrap_or_default();
        assert!(["amp", "lt", "gt", "quot", "#39"].contains(&entity), "&{entity}");
    }
    assert!(text.chars().all(|char| char == '\n' || !char.is_control()));
}

#[test]
#[should_panic(expected = "closed in order")]
fn crossed_tags_are_found() {
    Page::read("<!DOCTYPE html>\n<a><b></a></b>");
}
