//! Documentation of functions from other crates that have none under the names used here: the JSON functions of
//! `datafusion-functions-json`, and DataFusion's `date_bin`.

/// The syntax of a function, its description, and an example expression that evaluates to true.
pub(crate) struct Added {
    pub(crate) syntax: &'static str,
    pub(crate) description: &'static str,
    pub(crate) example: &'static str,
}

pub(crate) const ADDED: &[Added] = &[
    Added {
        syntax: "json_get(json, key, …)",
        description: "Returns the value at a path of keys and indices, numbers as the engine represents them; null if the text is not JSON. `json -> key` and `json #> path` return JSON text, in which numbers are as written.",
        example: r#"json_get('{"a": [1, 2]}', 'a', 0) = 1"#,
    },
    Added {
        syntax: "json_as_text(json, key, …)",
        description: "Returns the value at a path as text, strings without quotes; null if the text is not JSON. `json ->> key` and `json #>> path` are the same, but fail in that case.",
        example: r#"json_as_text('{"a": {"b": "c"}}', 'a', 'b') = 'c'"#,
    },
    Added {
        syntax: "json_get_str(json, key, …)",
        description: "Returns the string at a path; null if it is missing or not a string.",
        example: r#"json_get_str('{"a": "b"}', 'a') = 'b'"#,
    },
    Added {
        syntax: "json_get_int(json, key, …)",
        description: "Returns the integer at a path; null if it is missing or not an integer.",
        example: r#"json_get_int('{"a": [1, 2]}', 'a', 1) = 2"#,
    },
    Added {
        syntax: "json_get_float(json, key, …)",
        description: "Returns the number at a path; null if it is missing or not a number.",
        example: r#"json_get_float('{"a": 1.5}', 'a') = 1.5"#,
    },
    Added {
        syntax: "json_get_bool(json, key, …)",
        description: "Returns the boolean at a path; null if it is missing or not a boolean.",
        example: r#"json_get_bool('{"a": true}', 'a')"#,
    },
    Added {
        syntax: "json_get_json(json, key, …)",
        description: "Returns the value at a path as JSON text.",
        example: r#"json_get_json('{"a": {"b": 1}}', 'a') = '{"b": 1}'"#,
    },
    Added {
        syntax: "json_get_array(json, key, …)",
        description: "Returns the array at a path as a list of JSON texts.",
        example: r#"json_get_array('{"a": [1, {"b": 2}]}', 'a')[2] = '{"b": 2}'"#,
    },
    Added {
        syntax: "json_contains(json, key, …)",
        description: "Returns whether a path exists; false if the text is not JSON. `json ? key` is the same for one key, and also finds strings in an array.",
        example: r#"json_contains('{"a": {"b": 1}}', 'a', 'b')"#,
    },
    Added {
        syntax: "json_length(json, key, …)",
        description: "Returns the number of keys or elements of the object or array at a path.",
        example: r#"json_length('{"a": [1, 2]}', 'a') = 2"#,
    },
    Added {
        syntax: "json_object_keys(json, key, …)",
        description: "Returns the keys of the object at a path.",
        example: r#"json_object_keys('{"a": 1, "b": 2}') = ['a', 'b']"#,
    },
    Added {
        syntax: "json_from_scalar(value)",
        description: "Converts a value to JSON.",
        example: "json_union_to_text(json_from_scalar(1)) = '1'",
    },
    Added {
        syntax: "json_union_to_text(value)",
        description: "Converts the result of `json_get` to JSON text.",
        example: r#"json_union_to_text(json_get('{"a": [1]}', 'a')) = '[1]'"#,
    },
    Added {
        syntax: "time_bucket(interval, time)",
        description: "Returns the start of the interval that contains a time, aligned to 1970; the same as DataFusion's `date_bin`.",
        example: "time_bucket(INTERVAL '15 minutes', TIMESTAMP '2026-11-24T10:29:59Z') = TIMESTAMP '2026-11-24T10:15:00Z'",
    },
];
