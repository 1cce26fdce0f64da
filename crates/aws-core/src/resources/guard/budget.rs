//! Monthly budgets.

/// A monthly cost budget that tells by e-mail when 80% of it are spent, and when all of it is forecast to be.
pub struct MonthlyBudget {
    /// The account's number.
    pub account: String,
    /// The name, unique in the account.
    pub name: String,
    /// The limit, in US dollars.
    pub usd: u32,
    /// E-mail addresses, at most 10 (Budgets `CreateNotification`).
    pub notify: Vec<String>,
}
