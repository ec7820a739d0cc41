//! Checks that the tables keep rows as long as the options say.

use super::super::frames::Table;
use super::super::literal::quoted;
use super::super::send::Sender;
use super::show::show;
use crate::contract::error::{Error, Fault, StoreFault};

/// The days of a table that never drops rows.
const EVER: u64 = u64::MAX;

/// Compares the tables' retention with the options. Rows that are dropped early may be referred to
/// by checkpoints, and tombstones that are dropped early bring back the rows that they hid.
pub(super) async fn check(sender: &Sender, log: &str, tombstones: &str) -> Result<(), Error> {
    let (kept, hidden) = (days(sender, log).await?, days(sender, tombstones).await?);
    let wanted = sender.options.retention_days();
    if kept < wanted {
        return Err(short(format!(
            "table {log} drops rows after {kept} days, and the option retentionDays says \
             {wanted}: checkpoints would lose what they refer to; pass retentionDays {kept}, or \
             run `.alter-merge table {log} policy retention softdelete = {wanted}d`"
        )));
    }
    if hidden < kept {
        return Err(short(format!(
            "table {tombstones} drops rows after {hidden} days, before those of {log} that they \
             hide: deleted threads would come back; run `.alter-merge table {tombstones} policy \
             retention softdelete = 36500d`"
        )));
    }
    Ok(())
}

/// After how many whole days a table drops rows, by its own policy or else its database's; `EVER`
/// if neither has one.
async fn days(sender: &Sender, table: &str) -> Result<u64, Error> {
    let database = quoted(&sender.options.database);
    for entity in [format!("table ['{table}']"), format!("database [{database}]")] {
        let policies = show(sender, &format!("{entity} policy retention")).await?;
        if let Some(days) = policy_days(&policies)? {
            return Ok(days);
        }
    }
    Ok(EVER)
}

/// The days in a policy; `None` if there is no policy, or none that drops rows.
fn policy_days(policies: &[Table]) -> Result<Option<u64>, Error> {
    for record in policies.iter().flat_map(Table::records) {
        let text = record.text("Policy")?;
        let policy: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
        if let Some(period) = policy.get("SoftDeletePeriod").and_then(|period| period.as_str()) {
            return whole_days(period).map(Some).ok_or_else(|| {
                short(
                    "the retention of the table cannot be read: it is not a time span; set it with \
                     `.alter-merge table ... policy retention softdelete = 365d`"
                        .to_owned(),
                )
            });
        }
    }
    Ok(None)
}

/// The whole days of a time span, such as `365.00:00:00` or `12:00:00`.
fn whole_days(period: &str) -> Option<u64> {
    let (before, _) = period.split_once(':')?;
    match before.split_once('.') {
        Some((days, _)) => days.parse().ok(),
        None => before.parse::<u64>().ok().map(|hours| hours / 24),
    }
}

fn short(message: String) -> Error {
    Error::Denied(StoreFault {
        fault: Fault { code: "store-retention".to_owned(), message },
        maybe_stored: false,
    })
}

#[cfg(test)]
mod tests {
    use super::whole_days;

    #[test]
    fn time_spans_are_read_as_days() {
        assert_eq!(whole_days("365.00:00:00"), Some(365));
        assert_eq!(whole_days("36500.00:00:00.0000000"), Some(36_500));
        assert_eq!(whole_days("12:00:00"), Some(0));
        assert_eq!(whole_days("ever"), None);
        assert_eq!(whole_days("-1.00:00:00"), None);
    }
}
