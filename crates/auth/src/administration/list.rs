//! All accounts there are, a page at a time.

use std::collections::HashMap;

use uuid::Uuid;

use crate::{
    Identity,
    account::{Account, AccountIdentity, FIELDS, Factor, IDENTITY_FIELDS, USERS},
    call::Call,
    factors::{FACTORS, FIELDS as FACTOR_FIELDS},
    refusal::AuthResult,
    rows::{Query, Record, is_among},
};

/// Accounts of a page.
pub const PAGE_ACCOUNTS_MAX: u64 = 1_000;
/// Accounts whose identities and factors are read at once.
const CHUNK: usize = 100;

/// A page of all accounts.
#[derive(Clone, Debug)]
pub struct AccountsPage {
    /// Its accounts, the latest first.
    pub accounts: Vec<Account>,
    /// How many there are on all pages.
    pub total: u64,
}

impl Identity {
    /// A page of so many accounts, the latest first; the first page is 1.
    ///
    /// # Errors
    /// Where the store cannot be asked.
    pub async fn accounts(
        &self,
        page: u64,
        per_page: u64,
        call: &Call,
    ) -> AuthResult<AccountsPage> {
        let all = || Query { model: USERS, ..Query::default() };
        let total = self.rows.count(all(), &call.cx, call.now).await?;
        let query = Query {
            fields: FIELDS,
            order: vec![("created_at", true), ("id", true)],
            limit: Some(per_page.min(PAGE_ACCOUNTS_MAX)),
            offset: Some(page.saturating_sub(1).saturating_mul(per_page)),
            ..all()
        };
        let rows = self.rows.find(query, &call.cx, call.now).await?;
        let mut accounts: Vec<Account> = rows.iter().map(Account::of).collect();
        for chunk in accounts.chunks_mut(CHUNK) {
            let ids: Vec<Uuid> = chunk.iter().map(|account| account.id).collect();
            let identities = ("mainstay_identities", IDENTITY_FIELDS);
            let mut identities = self.hanging(identities, &ids, AccountIdentity::of, call).await?;
            let mut factors =
                self.hanging((FACTORS, FACTOR_FIELDS), &ids, Factor::of, call).await?;
            for account in chunk {
                account.identities = identities.remove(&account.id).unwrap_or_default();
                account.factors = factors.remove(&account.id).unwrap_or_default();
            }
        }
        Ok(AccountsPage { accounts, total })
    }

    /// What hangs on these accounts, by account. A read answers so many rows and no more,
    /// so it is repeated until there are none left.
    async fn hanging<T>(
        &self,
        (model, fields): (&'static str, &'static [&'static str]),
        users: &[Uuid],
        read: fn(&Record) -> T,
        call: &Call,
    ) -> AuthResult<HashMap<Uuid, Vec<T>>> {
        let mut found: HashMap<Uuid, Vec<T>> = HashMap::new();
        let mut offset = 0;
        loop {
            let query = Query {
                model,
                fields,
                filters: vec![is_among("user", users.iter().copied())],
                offset: Some(offset),
                ..Query::default()
            };
            let rows = self.rows.find(query, &call.cx, call.now).await?;
            if rows.is_empty() {
                return Ok(found);
            }
            offset += rows.len() as u64;
            for row in &rows {
                found.entry(row.uuid("user").unwrap_or_default()).or_default().push(read(row));
            }
        }
    }
}
