//! Types of a rules document in TypeScript and Python, from its schema: what each of its shapes says, without ranges and patterns. And the
//! schema itself, for packages to bring.

use std::fmt::Write as _;
use std::path::PathBuf;

use liveops_core::Rules;
use serde_json::{Map, Value, json};

use crate::process::root;

const ORIGIN: &str = "Written by `cargo xtask fix` from liveops-core/schema/rules.v1.json.";
/// Before each name: the packages have boards and items of their own.
const PREFIX: &str = "Rules";
/// What cannot be a name in Python.
const PYTHON_KEYWORDS: &[&str] = &[
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del",
    "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal",
    "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
];

/// Writes the files.
pub(crate) fn write() -> Result<(), String> {
    for (path, text) in files()? {
        std::fs::write(&path, text).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    }
    Ok(())
}

/// Whether the files are what the schema makes of them.
pub(crate) fn check() -> Result<(), String> {
    for (path, text) in files()? {
        let there = std::fs::read_to_string(&path);
        let there = there.map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        if there != text {
            return Err(format!("{} is not what the schema of rules says: run `cargo xtask fix`", path.display()));
        }
    }
    Ok(())
}

fn files() -> Result<[(PathBuf, String); 4], String> {
    let shapes = shapes(Rules::SCHEMA)?;
    Ok([
        (root().join("bindings/node/rules.v1.json"), Rules::SCHEMA.to_owned()),
        (root().join("bindings/python/python/liveops/rules.v1.json"), Rules::SCHEMA.to_owned()),
        (root().join("bindings/node/rules.d.ts"), typescript(&shapes)),
        (root().join("bindings/python/python/liveops/rules_types.py"), python(&shapes)),
    ])
}

/// A definition of the schema.
#[derive(Debug)]
struct Shape {
    name: String,
    about: Option<String>,
    is: Is,
}

#[derive(Debug)]
enum Is {
    /// An object with these members and no others.
    Object(Vec<Member>),
    /// Another name for a type.
    Alias(Type),
}

#[derive(Debug)]
struct Member {
    name: String,
    of_type: Type,
    required: bool,
    about: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
enum Type {
    Text,
    Whole,
    Bool,
    /// A text, a number, or true or false, as JSON.
    Literal(Value),
    /// A definition.
    Named(String),
    List(Box<Type>),
    Pair(Box<Type>),
    ByName(Box<Type>),
    AnyOf(Vec<Type>),
}

/// All definitions, each behind those that it refers to: Python reads a file from its top.
fn shapes(schema: &str) -> Result<Vec<Shape>, String> {
    let schema: Value = serde_json::from_str(schema).map_err(|error| format!("the schema of rules: {error}"))?;
    let definitions = schema["$defs"].as_object().ok_or("the schema of rules has no definitions")?;
    let mut shapes = Vec::new();
    // Those in lower case are conditions.
    for name in definitions.keys().filter(|name| name.starts_with(|first: char| first.is_ascii_uppercase())) {
        place(name, definitions, &mut shapes, 0)?;
    }
    Ok(shapes)
}

fn place(name: &str, definitions: &Map<String, Value>, shapes: &mut Vec<Shape>, depth: usize) -> Result<(), String> {
    if shapes.iter().any(|shape| shape.name == name) {
        return Ok(());
    }
    let definition = definitions.get(name).and_then(Value::as_object).ok_or_else(|| format!("no definition {name}"))?;
    if depth > definitions.len() {
        return Err(format!("{name} refers to itself"));
    }
    let mut named = Vec::new();
    references(&Value::Object(definition.clone()), &mut named);
    for other in named {
        place(&other, definitions, shapes, depth + 1)?;
    }
    let is = if is_closed(definition) { Is::Object(members(definition)?) } else { Is::Alias(type_of(definition)?) };
    shapes.push(Shape { name: name.to_owned(), about: text_of(definition, "description"), is });
    Ok(())
}

/// The definitions that a schema names.
fn references(value: &Value, named: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            let name = object.get("$ref").and_then(Value::as_str).map(definition_of);
            named.extend(name.filter(|name| name.starts_with(|first: char| first.is_ascii_uppercase())));
            object.values().for_each(|value| references(value, named));
        }
        Value::Array(values) => values.iter().for_each(|value| references(value, named)),
        _ => {}
    }
}

fn definition_of(reference: &str) -> String {
    reference.trim_start_matches("#/$defs/").to_owned()
}

fn is_closed(schema: &Map<String, Value>) -> bool {
    schema.get("additionalProperties") == Some(&json!(false))
}

fn members(schema: &Map<String, Value>) -> Result<Vec<Member>, String> {
    let required: Vec<_> = values(schema, "required").filter_map(Value::as_str).collect();
    let properties = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
    let member = |(name, schema): (&String, &Value)| {
        let schema = schema.as_object().ok_or_else(|| format!("{name} has no schema"))?;
        let default = schema.get("default").map(|default| match default {
            Value::String(text) => format!("`{text}` without it."),
            other => format!("{other} without it."),
        });
        let about: Vec<_> = text_of(schema, "description").into_iter().chain(default).collect();
        Ok(Member {
            name: name.clone(),
            of_type: type_of(schema).map_err(|reason| format!("{name}: {reason}"))?,
            required: required.contains(&name.as_str()),
            about: (!about.is_empty()).then(|| about.join(" ")),
        })
    };
    properties.map(member).collect()
}

/// What a value can be. Conditions tell kinds apart; what holds under each is one of the types.
fn type_of(schema: &Map<String, Value>) -> Result<Type, String> {
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        return Ok(Type::Named(definition_of(reference)));
    }
    if let Some(value) = schema.get("const") {
        return Ok(Type::Literal(value.clone()));
    }
    if schema.contains_key("enum") {
        return Ok(any_of(values(schema, "enum").cloned().map(Type::Literal)));
    }
    let under = |schema: &Value, branch: &str| schema.get(branch).and_then(Value::as_object).map(type_of);
    if schema.contains_key("allOf") {
        let kinds = values(schema, "allOf").filter_map(|kind| under(kind, "then"));
        return Ok(any_of(kinds.collect::<Result<Vec<_>, _>>()?));
    }
    if let (Some(then), Some(other)) = (schema.get("then"), schema.get("else")) {
        let both = [then, other].map(|branch| branch.as_object().map_or(Err("an empty branch".to_owned()), type_of));
        return Ok(any_of(both.into_iter().collect::<Result<Vec<_>, _>>()?));
    }
    match schema.get("type") {
        Some(Value::Array(names)) => {
            Ok(any_of(names.iter().map(|name| plain(name, schema)).collect::<Result<Vec<_>, _>>()?))
        }
        Some(name) => plain(name, schema),
        None => Err(format!("nothing says what it is: {schema:?}")),
    }
}

fn plain(name: &Value, schema: &Map<String, Value>) -> Result<Type, String> {
    let below = |member: &str| schema.get(member).and_then(Value::as_object).map(type_of).transpose();
    match name.as_str() {
        Some("string") => Ok(Type::Text),
        Some("integer") => Ok(Type::Whole),
        Some("boolean") => Ok(Type::Bool),
        Some("array") => {
            let items = Box::new(below("items")?.ok_or("an array of nothing")?);
            let is_pair = schema.get("minItems") == Some(&json!(2)) && schema.get("maxItems") == Some(&json!(2));
            Ok(if is_pair { Type::Pair(items) } else { Type::List(items) })
        }
        Some("object") => {
            let named = schema.get("properties").and_then(Value::as_object).into_iter().flat_map(Map::values);
            let named = named.filter_map(Value::as_object).map(type_of);
            let all = below("additionalProperties")?.into_iter().map(Ok).chain(named);
            Ok(Type::ByName(Box::new(any_of(all.collect::<Result<Vec<_>, _>>()?))))
        }
        _ => Err(format!("{name} is no type of a rules document")),
    }
}

/// Each once; unions inside are opened.
fn any_of(types: impl IntoIterator<Item = Type>) -> Type {
    let mut all = Vec::new();
    for one in types {
        let inner = if let Type::AnyOf(inner) = one { inner } else { vec![one] };
        for one in inner {
            if !all.contains(&one) {
                all.push(one);
            }
        }
    }
    if all.len() == 1 { all.remove(0) } else { Type::AnyOf(all) }
}

fn values<'s>(schema: &'s Map<String, Value>, member: &str) -> impl Iterator<Item = &'s Value> {
    schema.get(member).and_then(Value::as_array).into_iter().flatten()
}

fn text_of(schema: &Map<String, Value>, member: &str) -> Option<String> {
    schema.get(member).and_then(Value::as_str).map(str::to_owned)
}

// Writing to a string cannot fail.

fn typescript(shapes: &[Shape]) -> String {
    let mut out = format!(
        "// Types of a rules document. What they cannot say, such as ranges, the schema and the reader say.\n// {ORIGIN}\n"
    );
    let comment = |about: &Option<String>, indent: &str| {
        about.as_ref().map_or(String::new(), |about| format!("{indent}/** {about} */\n"))
    };
    for Shape { name, about, is } in shapes {
        out += "\n";
        out += &comment(about, "");
        match is {
            Is::Alias(of_type) => _ = writeln!(out, "export type {PREFIX}{name} = {}", in_typescript(of_type)),
            Is::Object(members) => {
                _ = writeln!(out, "export interface {PREFIX}{name} {{");
                for Member { name, of_type, required, about } in members {
                    out += &comment(about, "  ");
                    let optional = if *required { "" } else { "?" };
                    _ = writeln!(out, "  readonly {name}{optional}: {}", in_typescript(of_type));
                }
                out += "}\n";
            }
        }
    }
    out
}

fn in_typescript(of_type: &Type) -> String {
    let in_brackets = |of_type: &Type| match of_type {
        Type::AnyOf(_) => format!("({})", in_typescript(of_type)),
        _ => in_typescript(of_type),
    };
    match of_type {
        Type::Text => "string".to_owned(),
        Type::Whole => "number".to_owned(),
        Type::Bool => "boolean".to_owned(),
        Type::Literal(Value::String(text)) => format!("'{text}'"),
        Type::Literal(value) => value.to_string(),
        Type::Named(name) => format!("{PREFIX}{name}"),
        Type::List(of) => format!("readonly {}[]", in_brackets(of)),
        Type::Pair(of) => format!("readonly [{0}, {0}]", in_typescript(of)),
        Type::ByName(of) => format!("{{ readonly [name: string]: {} }}", in_typescript(of)),
        Type::AnyOf(types) => types.iter().map(in_typescript).collect::<Vec<_>>().join(" | "),
    }
}

fn python(shapes: &[Shape]) -> String {
    let mut out = format!(
        "\"\"\"Types of a rules document. What they cannot say, such as ranges, the schema and the reader say.\n\n{ORIGIN}\n\"\"\"\n\n\
         from typing import Literal, NotRequired, TypeAlias, TypedDict\n\n__all__ = [\n"
    );
    let mut names: Vec<_> = shapes.iter().map(|shape| &shape.name).collect();
    names.sort();
    for name in names {
        _ = writeln!(out, "    \"{PREFIX}{name}\",");
    }
    out += "]\n";
    for Shape { name, about, is } in shapes {
        let comment = |about: &Option<String>, indent: &str| {
            about.as_ref().map_or(String::new(), |about| format!("{indent}# {about}\n"))
        };
        match is {
            Is::Alias(of_type) => {
                _ = write!(out, "\n{}{PREFIX}{name}: TypeAlias = {}\n", comment(about, ""), alias_in_python(of_type));
            }
            // A member that Python has another use for cannot be said in a class.
            Is::Object(members) if members.iter().any(|member| !is_name_in_python(&member.name)) => {
                _ = writeln!(out, "\n{PREFIX}{name} = TypedDict(\n    \"{PREFIX}{name}\",\n    {{");
                for member in members {
                    out += &comment(&member.about, "        ");
                    _ = writeln!(out, "        \"{}\": {},", member.name, member_in_python(member));
                }
                out += "    },\n)\n";
                if let Some(about) = about {
                    _ = writeln!(out, "{PREFIX}{name}.__doc__ = {about:?}");
                }
            }
            Is::Object(members) => {
                _ = writeln!(out, "\n\nclass {PREFIX}{name}(TypedDict):");
                if let Some(about) = about {
                    _ = writeln!(out, "    \"\"\"{about}\"\"\"\n");
                }
                for member in members {
                    out += &comment(&member.about, "    ");
                    _ = writeln!(out, "    {}: {}", member.name, member_in_python(member));
                }
            }
        }
    }
    out
}

fn member_in_python(member: &Member) -> String {
    let of_type = in_python(&member.of_type);
    if member.required { of_type } else { format!("NotRequired[{of_type}]") }
}

fn is_name_in_python(name: &str) -> bool {
    let is_word = name.starts_with(|first: char| first.is_ascii_alphabetic());
    is_word && name.bytes().all(|byte| byte.is_ascii_alphanumeric()) && !PYTHON_KEYWORDS.contains(&name)
}

fn literal_in_python(value: &Value) -> String {
    match value {
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        other => other.to_string(),
    }
}

/// Words of a name of their own are a union of each: the check of stubs takes several in one literal for none.
fn alias_in_python(of_type: &Type) -> String {
    match of_type {
        Type::AnyOf(types) => types.iter().map(in_python).collect::<Vec<_>>().join(" | "),
        other => in_python(other),
    }
}

fn in_python(of_type: &Type) -> String {
    match of_type {
        Type::Text => "str".to_owned(),
        Type::Whole => "int".to_owned(),
        Type::Bool => "bool".to_owned(),
        Type::Literal(value) => format!("Literal[{}]", literal_in_python(value)),
        Type::Named(name) => format!("{PREFIX}{name}"),
        Type::List(of) | Type::Pair(of) => format!("list[{}]", in_python(of)),
        Type::ByName(of) => format!("dict[str, {}]", in_python(of)),
        Type::AnyOf(types) => {
            let literal =
                |one: &Type| if let Type::Literal(value) = one { Some(literal_in_python(value)) } else { None };
            let words: Option<Vec<_>> = types.iter().map(literal).collect();
            words.map_or_else(
                || types.iter().map(in_python).collect::<Vec<_>>().join(" | "),
                |words| format!("Literal[{}]", words.join(", ")),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_types_are_those_of_the_schema() {
        assert_eq!(check(), Ok(()));
    }

    #[test]
    fn every_form_of_a_schema_has_its_types() {
        let schema = json!({ "$defs": {
            "All": { "type": "object", "additionalProperties": false, "required": ["b"], "description": "All.", "properties": {
                "a": { "enum": ["x", "y"], "default": "x" }, "b": { "$ref": "#/$defs/Name" },
                "from": { "type": "array", "items": { "$ref": "#/$defs/Either" } } } },
            "Name": { "type": "string" },
            "Either": { "if": { "type": "object" },
                "then": { "type": "object", "additionalProperties": { "type": "boolean" } },
                "else": { "type": "array", "minItems": 2, "maxItems": 2, "items": { "type": "integer" } } } } });
        let shapes = shapes(&schema.to_string()).unwrap_or_default();
        assert_eq!(
            typescript(&shapes).split_once("\n\n").map(|(_, types)| types),
            Some(
                "export type RulesName = string\n\n\
                 export type RulesEither = { readonly [name: string]: boolean } | readonly [number, number]\n\n\
                 /** All. */\nexport interface RulesAll {\n  /** `x` without it. */\n  readonly a?: 'x' | 'y'\n  \
                 readonly b: RulesName\n  readonly from?: readonly RulesEither[]\n}\n"
            )
        );
        assert!(python(&shapes).ends_with(
            "\nRulesName: TypeAlias = str\n\nRulesEither: TypeAlias = dict[str, bool] | list[int]\n\n\
             RulesAll = TypedDict(\n    \"RulesAll\",\n    {\n        # `x` without it.\n        \
             \"a\": NotRequired[Literal[\"x\", \"y\"]],\n        \"b\": RulesName,\n        \
             \"from\": NotRequired[list[RulesEither]],\n    },\n)\nRulesAll.__doc__ = \"All.\"\n"
        ));
        assert!(
            ["from", "in", "is", "as", "class", "global", "True", "1a", "a-b", ""]
                .iter()
                .all(|n| !is_name_in_python(n))
        );
        assert!(["on", "ts", "type", "match", "deltaXp"].iter().all(|name| is_name_in_python(name)));
        let words = any_of([json!("x"), json!("y")].map(Type::Literal));
        assert_eq!(alias_in_python(&words), r#"Literal["x"] | Literal["y"]"#);
        let literals = any_of([json!(true), json!("x"), json!(3), json!(false)].map(Type::Literal));
        assert_eq!(in_python(&literals), r#"Literal[True, "x", 3, False]"#);
        assert_eq!(in_python(&Type::Literal(json!(false))), "Literal[False]");
        let circle = json!({ "$defs": { "A": { "$ref": "#/$defs/A" } } });
        assert!(super::shapes(&circle.to_string()).is_err());
    }
}
