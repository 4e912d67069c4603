//! Comments say why, never what was or what is to come.

use super::scan::has_word;
use super::{Finding, Tree};

/// Phrases that tell history, in lower case.
const HISTORY: &[&str] = &[
    "no longer",
    "previously",
    "formerly",
    "it used to",
    "this used to",
    "that used to",
    "which used to",
    "there used to",
    "we used to",
    "code used to",
];
/// Words that tell plans, in capitals.
const PLANS: &[&str] = &["TODO", "FIXME", "XXX", "HACK"];

pub fn history(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &tree.files {
        let Some(scan) = &file.scan else { continue };
        for comment in &scan.comments {
            for (offset, text) in comment.text.lines().enumerate() {
                let told = tells(text);
                findings.extend(told.map(|told| {
                    let message =
                        format!("`{told}` in a comment: say why the code is as it is, not how it came to be");
                    Finding::new(&file.path, comment.line + offset, message)
                }));
            }
        }
    }
    findings
}

/// What in a line of a comment tells history, plans or the number of a ticket.
fn tells(text: &str) -> Option<String> {
    let lower = text.to_lowercase().replace("no longer than", "");
    let phrase = HISTORY.iter().find(|phrase| has_word(&lower, phrase));
    let plan = PLANS.iter().find(|word| has_word(text, word));
    phrase.or(plan).map(|found| found.to_string()).or_else(|| ticket(text))
}

/// Words in front of the number of a ticket, in lower case.
const TICKETS: &[&str] = &["issue", "ticket", "bug", "pr", "see", "fixes", "closes", "for"];

/// A number of a ticket: `#` and digits behind one of the words for it, or such a number behind `issue`. Elsewhere `#`
/// may be part of a text form.
fn ticket(text: &str) -> Option<String> {
    let lower = text.to_lowercase();
    let words: Vec<&str> = lower.split_whitespace().map(|word| word.trim_start_matches('(')).collect();
    for pair in words.windows(2) {
        let number = pair[1].trim_end_matches(|char: char| ".,;:)".contains(char));
        let digits = number.strip_prefix('#').unwrap_or(number);
        let is_number = !digits.is_empty() && digits.chars().all(|char| char.is_ascii_digit());
        if is_number
            && (digits != number && TICKETS.contains(&pair[0]) || ["issue", "ticket"].contains(&pair[0]))
        {
            return Some(format!("{} {number}", pair[0]));
        }
    }
    None
}
