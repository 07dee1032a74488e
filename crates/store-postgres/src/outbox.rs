//! The outbox: what committed writes did, for those who follow.
//!
//! A row holds the events of one transaction, as
//! [`EventEntries`](mainstay_store::EventEntries) makes them, under the transaction's
//! number. Numbers are given when a transaction first writes, and transactions commit
//! in another order; so whoever follows reads only below the oldest that is still under
//! way, whose number and all later ones are yet to come. Below it nothing is added any
//! more, and a transaction's number is a place to go on from.
//!
//! A place ([`Seq`]) is a transaction's number and an event's within it.

use mainstay_core::{Catalog, Error};
use mainstay_store::{Event, Seq, read_events};
use tokio_postgres::types::Type as PgType;

use crate::{connection::Connection, error::Trouble};

/// Bits of a place that number an event within its transaction.
const WITHIN_BITS: u32 = 20;
/// Transactions whose events are kept.
const TRANSACTIONS_KEPT: i64 = 100_000;

/// Writes the events of the transaction under way; the parameter is their array.
pub(crate) const INSERT: &str =
    "INSERT INTO mainstay_outbox (txid, events) SELECT pg_current_xact_id()::text::bigint, ";

/// The events after a place, at most so many, as far as the catalog knows their
/// models.
pub(crate) async fn changes(
    connection: &Connection,
    catalog: &Catalog,
    after: Seq,
    max: u32,
) -> Result<Vec<Event>, Error> {
    let from = i64::try_from(after.0 >> WITHIN_BITS).unwrap_or(i64::MAX);
    let rows = connection
        .client()
        .query_typed(
            "SELECT txid, events FROM mainstay_outbox WHERE txid >= $1
             AND txid < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
             ORDER BY txid LIMIT $2",
            &[(&from, PgType::INT8), (&i64::from(max).saturating_add(1), PgType::INT8)],
        )
        .await
        .map_err(|error| Trouble::from(error).into_error())?;
    let max = usize::try_from(max).unwrap_or(usize::MAX);
    let mut events = Vec::new();
    for row in rows {
        let txid: i64 = row.try_get(0).map_err(Error::internal)?;
        let txid = u64::try_from(txid).map_err(Error::internal)?;
        let array: &str = row.try_get(1).map_err(Error::internal)?;
        let places = (1..1_u64 << WITHIN_BITS).map(|at| Seq(txid << WITHIN_BITS | at));
        let later = read_events(catalog, array, places)
            .into_iter()
            .filter_map(|(seq, event)| event.filter(|_| seq > after))
            .map(|event| Event { txid, ..event });
        let room = max - events.len();
        events.extend(later.take(room));
        if events.len() == max {
            break;
        }
    }
    Ok(events)
}

/// Drops the events of all but the latest transactions.
pub(crate) async fn drop_old(connection: &Connection) -> Result<(), Trouble> {
    connection
        .batch(&format!(
            "DELETE FROM mainstay_outbox WHERE txid < (SELECT txid FROM mainstay_outbox
             ORDER BY txid DESC OFFSET {TRANSACTIONS_KEPT} LIMIT 1)"
        ))
        .await
}
