//! How a case could be smaller.
//!
//! In: a case. Out: cases that are well-typed and smaller, the greatest steps first. Whoever calls tries them and goes on from
//! one that still fails.

use crate::case::Case;
use crate::tree::{Node, Part, Role};

/// Smaller cases, at most `limit`.
pub fn shrink(case: &Case, limit: usize) -> Vec<Case> {
    let mut out: Vec<(usize, Case)> = Vec::new();
    let mut seen = std::collections::HashSet::from([case.text()]);
    let mut add = |mut smaller: Case| {
        smaller.repair();
        if seen.insert(smaller.text()) {
            out.push((smaller.size(), smaller));
        }
    };
    for f in 0..case.functions.len() {
        if case.functions[f].id != case.entry {
            let mut without = case.clone();
            without.functions.remove(f);
            add(without);
        }
        for n in 0..case.functions[f].body.size() {
            let Some(node) = case.functions[f].body.nth(n) else { break };
            for step in steps(node, n == 0) {
                let mut smaller = case.clone();
                if let Some(node) = smaller.functions[f].body.nth_mut(n) {
                    *node = step(node, &case.types);
                    add(smaller);
                }
            }
        }
    }
    // What is taken away most comes first; then every place gets its turn.
    out.sort_by_key(|(size, _)| *size);
    out.retain(|(size, _)| *size <= case.size());
    if out.len() > limit {
        let step = out.len() as f64 / limit as f64;
        let picked: Vec<usize> = (0..limit).map(|n| (n as f64 * step) as usize).collect();
        return picked.into_iter().map(|n| out[n].1.clone()).collect();
    }
    out.into_iter().map(|(_, case)| case).collect()
}

type Step = Box<dyn Fn(&Node, &crate::types::Types) -> Node>;

/// The ways to make one node smaller.
fn steps(node: &Node, is_body: bool) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    if let Role::Value(ty) = &node.role {
        let simple =
            node.parts.len() <= 1 && !matches!(node.parts.first(), Some(Part::Node(_) | Part::List(_)));
        if !simple && !is_body {
            steps.push(Box::new(|node, types| match node.ty() {
                Some(ty) => Node::leaf(ty, types.default(ty)),
                None => node.clone(),
            }));
            let mut inside = 0;
            node.each(&mut |child| inside += (child.ty() == Some(ty)) as usize);
            for which in 1..inside.min(6) {
                steps.push(Box::new(move |node, _| {
                    let (mut at, mut found) = (0, node);
                    node.each(&mut |child| {
                        if child.ty() == node.ty() {
                            if at == which {
                                found = child;
                            }
                            at += 1;
                        }
                    });
                    let mut found = found.clone();
                    found.suffix();
                    // Its own parentheses may have been those of the node around it.
                    Node::new(found.role.clone()).text("(").node(found).text(")")
                }));
            }
        }
    }
    for (p, part) in node.parts.iter().enumerate() {
        let Part::List(nodes) = part else { continue };
        let removable: Vec<usize> =
            (0..nodes.len()).filter(|&n| matches!(nodes[n].role, Role::Statement | Role::Arm)).collect();
        let halves = [
            removable.clone(),
            removable[..removable.len() / 2].to_vec(),
            removable[removable.len() / 2..].to_vec(),
        ];
        let singles = removable.iter().map(|&n| vec![n]);
        for gone in halves.into_iter().chain(singles).filter(|gone| !gone.is_empty()) {
            steps.push(Box::new(move |node, _| {
                let mut node = node.clone();
                if let Part::List(nodes) = &mut node.parts[p] {
                    let mut n = 0;
                    nodes.retain(|_| {
                        n += 1;
                        !gone.contains(&(n - 1))
                    });
                }
                node
            }));
        }
        for n in removable {
            // A statement gives way to the statements in it.
            if nodes[n].role != Role::Statement {
                continue;
            }
            steps.push(Box::new(move |node, _| {
                let mut node = node.clone();
                if let Part::List(nodes) = &mut node.parts[p] {
                    let inner = statements_in(&nodes[n]);
                    nodes.splice(n..=n, inner);
                }
                node
            }));
        }
    }
    steps
}

/// The statements directly inside a statement.
fn statements_in(node: &Node) -> Vec<Node> {
    let mut out = Vec::new();
    for part in &node.parts {
        match part {
            Part::Node(node) => out.extend(statements_in(node)),
            Part::List(nodes) if nodes.iter().all(|n| n.role == Role::Statement) => {
                out.extend(nodes.iter().cloned())
            }
            Part::List(nodes) => nodes.iter().for_each(|n| out.extend(statements_in(n))),
            Part::Text(_) | Part::Literal { .. } => {}
        }
    }
    out
}
