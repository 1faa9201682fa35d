//! Every operation by method and path, from the contract: its name in the access log, what else a
//! path can do, and what a name may stand for.

use std::collections::{HashMap, HashSet};

use actix_web::HttpRequest;
use actix_web::http::Method;
use utoipa::openapi::path::{Operation, PathItem};

use crate::openapi;

/// The operations of the contract.
pub struct Operations {
    by_pattern: HashMap<String, Vec<(Method, &'static str)>>,
    telling_of_nobody: HashSet<String>,
}

/// What is under these tags tells of no child.
const TELL_OF_NOBODY: [&str; 6] =
    ["access-log", "agencies", "code-lists", "notification-rules", "subscriptions", "suspensions"];

impl Operations {
    /// Those that the routes declare.
    pub fn known() -> Self {
        let paths = openapi::document().paths.paths;
        let telling_of_nobody = paths.values().filter_map(|it| it.get.as_ref()).filter(|it| tells_of_nobody(it));
        let telling_of_nobody = telling_of_nobody.filter_map(|it| it.operation_id.clone()).collect();
        let by_pattern = paths.into_iter().map(|(path, item)| (path, methods(&item))).collect();
        Operations { by_pattern, telling_of_nobody }
    }

    /// Whether a read, by its name, can tell of a child.
    pub fn tells_of_children(&self, operation: &str) -> bool {
        !self.telling_of_nobody.contains(operation)
    }

    /// The operation that a request is.
    pub fn of(&self, request: &HttpRequest) -> Option<&'static str> {
        // The rest of a path, where it is one parameter, is marked by a star that the contract has no word for.
        let pattern = request.match_pattern()?;
        let found = self.by_pattern.get(pattern.trim_end_matches('*'))?;
        found.iter().find(|it| it.0 == *request.method()).map(|it| it.1)
    }

    /// The methods of a path as it was requested, whether or not one of them matched; none when
    /// nothing is there.
    pub fn methods_at(&self, path: &str) -> Vec<Method> {
        let mut found: Vec<Method> = self
            .by_pattern
            .iter()
            .filter(|it| fits(it.0, path))
            .flat_map(|it| it.1.iter().map(|(method, _)| method.clone()))
            .collect();
        if found.contains(&Method::GET) {
            found.push(Method::HEAD);
        }
        found.sort_by(|a, b| a.as_str().cmp(b.as_str()));
        found.dedup();
        found
    }
}

fn tells_of_nobody(operation: &Operation) -> bool {
    operation.tags.iter().flatten().any(|tag| TELL_OF_NOBODY.contains(&tag.as_str()))
}

/// Parameters that take the rest of a path, slashes and all.
const RESTS: [&str; 2] = ["{tile}", "{bundle}"];

fn fits(pattern: &str, path: &str) -> bool {
    let (mut asked, mut known) = (path.split('/'), pattern.split('/'));
    loop {
        match (asked.next(), known.next()) {
            (None, None) => return true,
            (Some(asked), Some(rest)) if RESTS.contains(&rest) => return !asked.is_empty(),
            (Some(asked), Some(known)) if asked == known || (known.starts_with('{') && !asked.is_empty()) => {}
            _ => return false,
        }
    }
}

fn methods(item: &PathItem) -> Vec<(Method, &'static str)> {
    let PathItem { get, put, post, .. } = item;
    [(Method::GET, get), (Method::PUT, put), (Method::POST, post)]
        .into_iter()
        .filter_map(|(method, operation)| {
            // A few names for the life of the process, so that they can be passed around freely.
            let id: &'static str = operation.as_ref()?.operation_id.clone()?.leak();
            Some((method, id))
        })
        .collect()
}
