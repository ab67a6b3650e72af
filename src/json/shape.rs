//! How deep JSON text is and how much there is in it, told without reading it.

use memchr::memchr2;

/// Whether JSON text stays within a depth and a number of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// It does.
    Fits,
    /// It is nested deeper.
    TooDeep,
    /// It holds more values.
    TooMany,
}

/// Measures JSON text without reading it. Strings, nearly all of a request, are skipped at the speed of memchr.
pub fn shape(json: &str, depth: usize, values: usize) -> Shape {
    let (mut deep, mut many) = (0usize, 1usize);
    let mut rest = json.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'"' => rest = after_string(after),
            b'{' | b'[' => {
                deep += 1;
                many += 1;
            }
            b'}' | b']' => deep = deep.saturating_sub(1),
            b',' => many += 1,
            _ => {}
        }
        if deep > depth {
            return Shape::TooDeep;
        }
        if many > values {
            return Shape::TooMany;
        }
    }
    Shape::Fits
}

/// What follows the string that these bytes are in.
fn after_string(mut bytes: &[u8]) -> &[u8] {
    while let Some(at) = memchr2(b'"', b'\\', bytes) {
        let skipped = if bytes.get(at) == Some(&b'"') { 1 } else { 2 };
        bytes = bytes.get(at + skipped..).unwrap_or_default();
        if skipped == 1 {
            return bytes;
        }
    }
    &[]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shape_is_that_of_the_values_and_not_of_the_strings() {
        for (json, expected) in [
            ("[[]]", Shape::Fits),
            ("[[[]]]", Shape::TooDeep),
            (r#"["[[[", "\\", "\"[[[", "a,b,c,d"]"#, Shape::Fits),
            (r#"["\\", [[]]]"#, Shape::TooDeep),
            ("[1,2,3,4]", Shape::Fits),
            ("[1,2,3,4,5]", Shape::TooMany),
            (r#"["unclosed [[["#, Shape::Fits),
            (r#"["\"#, Shape::Fits),
        ] {
            assert_eq!(shape(json, 2, 5), expected, "{json}");
        }
    }
}
