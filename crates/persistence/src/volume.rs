//! How many children each officer has looked at: an alarm for whoever looks at very many.

use chrono::{DateTime, Utc};
use diesel::RunQueryDsl;
use diesel::sql_types::{BigInt, Text};

use crate::db::Db;
use crate::error::Error;
use crate::sql::Sql;

/// An officer who saw or changed more children than the budget allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverBudget {
    /// The agency or unit acted for.
    pub agency: String,
    /// The officer's id.
    pub officer: String,
    /// How many children, each counted once.
    pub children: i64,
}

impl Db {
    /// The officers who have seen or changed more than `budget` children since `since`, as the access
    /// log itself has it.
    ///
    /// # Errors
    /// The database is not available.
    pub fn over_budget(&self, since: DateTime<Utc>, budget: u32) -> Result<Vec<OverBudget>, Error> {
        let query = Sql::<(Text, Text, BigInt)>::new().with(
            "select agency, officer, children from policy.officers_over(?, ?) order by agency, officer",
            [since.into(), i64::from(budget).into()],
        );
        let rows: Vec<(String, String, i64)> = query.load(&mut *self.connection()?)?;
        Ok(rows.into_iter().map(|(agency, officer, children)| OverBudget { agency, officer, children }).collect())
    }
}
