//! SQL of our own writing that is prepared once per connection and then cached.
//!
//! `diesel::sql_query` is never cached. [`Sql`] is a query fragment instead, so diesel keeps the
//! prepared statement under its text.

use std::marker::PhantomData;

use chrono::{DateTime, Utc};
use diesel::pg::{Pg, PgConnection};
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{
    Array, BigInt, Bool, Bytea, Integer, Jsonb, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel::{QueryResult, RunQueryDsl};
use uuid::Uuid;

/// SQL text with the values that go into it; `ST` is the type of its rows.
pub(crate) struct Sql<ST = ()> {
    pieces: Vec<Piece>,
    rows: PhantomData<ST>,
}

enum Piece {
    Text(&'static str),
    Bind(Bind),
}

macro_rules! binds {
    ($($variant:ident($value:ty) as $sql:ty;)*) => {
        /// A value bound to a statement.
        pub(crate) enum Bind { $($variant($value)),* }

        $(impl From<$value> for Bind {
            fn from(value: $value) -> Self {
                Bind::$variant(value)
            }
        })*

        impl Bind {
            fn push<'b>(&'b self, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
                match self { $(Bind::$variant(value) => out.push_bind_param::<$sql, $value>(value)),* }
            }
        }
    };
}

binds! {
    Uuid(Uuid) as SqlUuid;
    OptUuid(Option<Uuid>) as Nullable<SqlUuid>;
    Uuids(Vec<Uuid>) as Array<SqlUuid>;
    Text(String) as Text;
    OptText(Option<String>) as Nullable<Text>;
    Texts(Vec<String>) as Array<Text>;
    OptTexts(Option<Vec<String>>) as Nullable<Array<Text>>;
    Time(DateTime<Utc>) as Timestamptz;
    OptTime(Option<DateTime<Utc>>) as Nullable<Timestamptz>;
    Json(serde_json::Value) as Jsonb;
    Int(i32) as Integer;
    Small(i16) as SmallInt;
    Big(i64) as BigInt;
    OptBig(Option<i64>) as Nullable<BigInt>;
    OptInt(Option<i32>) as Nullable<Integer>;
    Bool(bool) as Bool;
    Bytes(Vec<u8>) as Bytea;
    ByteStrings(Vec<Vec<u8>>) as Array<Bytea>;
    Ints(Vec<i32>) as Array<Integer>;
    Smalls(Vec<i16>) as Array<SmallInt>;
    Bigs(Vec<i64>) as Array<BigInt>;
}

impl From<&str> for Bind {
    fn from(value: &str) -> Self {
        Bind::Text(value.to_owned())
    }
}

/// Bytes as PostgreSQL writes them in JSON: `\x` and hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |it: u8| char::from_digit(it.into(), 16).unwrap_or_default();
    let mut text = String::with_capacity(2 + 2 * bytes.len());
    text.push_str("\\x");
    text.extend(bytes.iter().flat_map(|it| [digit(it >> 4), digit(it & 15)]));
    text
}

impl<ST> Sql<ST> {
    /// An empty statement.
    pub(crate) fn new() -> Self {
        Sql { pieces: Vec::new(), rows: PhantomData }
    }

    /// Appends text in which each `?` stands for the next of `binds`.
    pub(crate) fn with<const N: usize>(mut self, text: &'static str, binds: [Bind; N]) -> Self {
        let mut binds = binds.into_iter();
        let mut parts = text.split('?');
        self.pieces.extend(parts.next().map(Piece::Text));
        for part in parts {
            self.pieces.extend(binds.next().map(Piece::Bind));
            self.pieces.push(Piece::Text(part));
        }
        debug_assert!(binds.next().is_none(), "more values than places in: {text}");
        self
    }

    /// Appends another statement.
    pub(crate) fn then<Other>(mut self, other: Sql<Other>) -> Self {
        self.pieces.extend(other.pieces);
        self
    }
}

impl<ST> QueryFragment<Pg> for Sql<ST> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => out.push_sql(text),
                Piece::Bind(bind) => bind.push(&mut out)?,
            }
        }
        Ok(())
    }
}

impl<ST> QueryId for Sql<ST> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<ST> Query for Sql<ST> {
    type SqlType = ST;
}

impl<ST> RunQueryDsl<PgConnection> for Sql<ST> {}
