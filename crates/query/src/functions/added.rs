//! What functions do that come from elsewhere and explain nothing under the names that they have here: those for JSON text, of
//! `datafusion-functions-json`, and `date_bin` of DataFusion.

/// How each is called, and what it gives.
pub(crate) const DOCUMENTATION: &[(&str, &str)] = &[
    (
        "json_get(json, key, …)",
        "The value at a path of member names and indices; `json -> key` is the same for one.",
    ),
    (
        "json_as_text(json, key, …)",
        "The value at a path as text, a string without its quotes; `json ->> key` is the same for one.",
    ),
    (
        "json_get_str(json, key, …)",
        "The string at a path; null where there is none, or it is no string.",
    ),
    (
        "json_get_int(json, key, …)",
        "The whole number at a path; null where there is none, or it is no whole number.",
    ),
    (
        "json_get_float(json, key, …)",
        "The number at a path; null where there is none, or it is no number.",
    ),
    ("json_get_bool(json, key, …)", "True or false at a path; null where there is neither."),
    ("json_get_json(json, key, …)", "The value at a path as JSON text."),
    ("json_get_array(json, key, …)", "The array at a path, as a list of JSON texts."),
    (
        "json_contains(json, key, …)",
        "Whether there is a value at a path; `json ? key` is the same for one.",
    ),
    (
        "json_length(json, key, …)",
        "How many members or elements the object or array at a path has.",
    ),
    ("json_object_keys(json, key, …)", "The member names of the object at a path."),
    ("json_from_scalar(value)", "A value as JSON."),
    ("json_union_to_text(value)", "What `json_get` gives as JSON text."),
    (
        "time_bucket(interval, time)",
        "The beginning of the interval, counted from 1970, that a time falls into; DataFusion calls it `date_bin`.",
    ),
];
