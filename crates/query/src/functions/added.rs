//! What functions do that come from elsewhere and explain nothing under the names that they have here: those for JSON text, of
//! `datafusion-functions-json`, and `date_bin` of DataFusion.

/// How a function is called, what it gives, and an expression with it that is true.
pub(crate) struct Added {
    pub(crate) syntax: &'static str,
    pub(crate) description: &'static str,
    pub(crate) example: &'static str,
}

pub(crate) const ADDED: &[Added] = &[
    Added {
        syntax: "json_get(json, key, …)",
        description: "The value at a path of member names and indices, a number as the engine has it; null where the text is no JSON. `json -> key` and `json #> path` give JSON text, in which numbers are as they were written.",
        example: r#"json_get('{"a": [1, 2]}', 'a', 0) = 1"#,
    },
    Added {
        syntax: "json_as_text(json, key, …)",
        description: "The value at a path as text, a string without its quotes; null where the text is no JSON. `json ->> key` and `json #>> path` are the same, but fail there.",
        example: r#"json_as_text('{"a": {"b": "c"}}', 'a', 'b') = 'c'"#,
    },
    Added {
        syntax: "json_get_str(json, key, …)",
        description: "The string at a path; null where there is none, or it is no string.",
        example: r#"json_get_str('{"a": "b"}', 'a') = 'b'"#,
    },
    Added {
        syntax: "json_get_int(json, key, …)",
        description: "The whole number at a path; null where there is none, or it is no whole number.",
        example: r#"json_get_int('{"a": [1, 2]}', 'a', 1) = 2"#,
    },
    Added {
        syntax: "json_get_float(json, key, …)",
        description: "The number at a path; null where there is none, or it is no number.",
        example: r#"json_get_float('{"a": 1.5}', 'a') = 1.5"#,
    },
    Added {
        syntax: "json_get_bool(json, key, …)",
        description: "True or false at a path; null where there is neither.",
        example: r#"json_get_bool('{"a": true}', 'a')"#,
    },
    Added {
        syntax: "json_get_json(json, key, …)",
        description: "The value at a path as JSON text.",
        example: r#"json_get_json('{"a": {"b": 1}}', 'a') = '{"b": 1}'"#,
    },
    Added {
        syntax: "json_get_array(json, key, …)",
        description: "The array at a path, as a list of JSON texts.",
        example: r#"json_get_array('{"a": [1, {"b": 2}]}', 'a')[2] = '{"b": 2}'"#,
    },
    Added {
        syntax: "json_contains(json, key, …)",
        description: "Whether there is a value at a path; false where the text is no JSON. `json ? key` is the same for one, and finds strings in an array.",
        example: r#"json_contains('{"a": {"b": 1}}', 'a', 'b')"#,
    },
    Added {
        syntax: "json_length(json, key, …)",
        description: "How many members or elements the object or array at a path has.",
        example: r#"json_length('{"a": [1, 2]}', 'a') = 2"#,
    },
    Added {
        syntax: "json_object_keys(json, key, …)",
        description: "The member names of the object at a path.",
        example: r#"json_object_keys('{"a": 1, "b": 2}') = ['a', 'b']"#,
    },
    Added {
        syntax: "json_from_scalar(value)",
        description: "A value as JSON.",
        example: "json_union_to_text(json_from_scalar(1)) = '1'",
    },
    Added {
        syntax: "json_union_to_text(value)",
        description: "What `json_get` gives as JSON text.",
        example: r#"json_union_to_text(json_get('{"a": [1]}', 'a')) = '[1]'"#,
    },
    Added {
        syntax: "time_bucket(interval, time)",
        description: "The beginning of the interval, counted from 1970, that a time falls into; DataFusion calls it `date_bin`.",
        example: "time_bucket(INTERVAL '15 minutes', TIMESTAMP '2026-11-24T10:29:59Z') = TIMESTAMP '2026-11-24T10:15:00Z'",
    },
];
