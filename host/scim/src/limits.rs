/// How much of one request this crate is willing to read. Every limit that is passed is an
/// [`Error`](crate::Error) that names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How many arrays and objects may stand inside each other in a body. Values above 127 count
    /// as 127, which is where the JSON parser itself stops.
    pub json_depth: usize,
    /// How many parentheses, `not` and brackets may stand inside each other in a filter.
    pub filter_depth: usize,
    /// How many comparisons one filter may have, `pr` included. Each is evaluated for every resource
    /// that no index excludes, so this is what a filter may cost.
    pub filter_terms: usize,
    /// How many operations one PATCH may have.
    pub patch_operations: usize,
    /// The largest page of a list. A client that asks for more gets this many (RFC 7644 section
    /// 3.4.2.4 allows fewer resources than asked for).
    pub max_results: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            json_depth: 64,
            filter_depth: 32,
            filter_terms: 100,
            patch_operations: 10_000,
            max_results: 1_000,
        }
    }
}
