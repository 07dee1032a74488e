//! Which roles rules ask for together.

use expect_test::{Expect, expect};
use mainstay_rules::{AskedRole, RuleKind, asked_together, corpus::Corpus};

fn check(text: &str, expected: Expect) {
    let corpus = Corpus::new();
    let rule = match corpus.compile(text, RuleKind::Check) {
        Ok(rule) => rule,
        Err(mistakes) => panic!("{}", mistakes[0]),
    };
    let found = asked_together(&[rule.filter()]);
    let name = |asked: &AskedRole<'_>| match asked {
        AskedRole::Named(role) => (*role).to_owned(),
        AskedRole::Can(what) => format!("can {what}"),
    };
    let pairs = found.pairs.iter().map(|(one, two)| format!("{}+{}", name(one), name(two)));
    let refused = found.refused.iter().map(|one| format!("!{}", name(one)));
    expected.assert_eq(&pairs.chain(refused).collect::<Vec<_>>().join(" "));
}

#[test]
fn alternatives_are_not_asked_for_together() {
    check("'a' in auth.roles || 'b' in auth.roles || auth.can('c')", expect![""]);
    check("('a' in auth.roles && published) || 'b' in auth.roles", expect![""]);
    check("published && ('a' in auth.roles || 'b' in auth.roles)", expect![""]);
}

#[test]
fn what_stands_on_both_sides_of_an_and_is() {
    check("'a' in auth.roles && 'b' in auth.roles", expect!["a+b"]);
    check("'a' in auth.roles && 'b' in auth.roles && 'c' in auth.roles", expect!["a+b a+c b+c"]);
    check("(published || 'a' in auth.roles) && (views > 5 || auth.can('x'))", expect!["a+can x"]);
    check(
        "('b' in auth.roles && published && 'a' in auth.roles) || 'c' in auth.roles",
        expect!["a+b"],
    );
    check("members.exists(m, 'a' in auth.roles && 'b' in auth.roles)", expect!["a+b"]);
}

#[test]
fn what_is_refused_is_with_whichever_other() {
    check("!('a' in auth.roles)", expect!["!a"]);
    check("'a' in auth.roles && !('b' in auth.roles)", expect!["a+b !b"]);
    check("!('a' in auth.roles && auth.can('x'))", expect!["!a !can x"]);
    check("('a' in auth.roles ? published : true) && 'b' in auth.roles", expect!["a+b !a"]);
    check("('a' in auth.roles) == published", expect!["!a"]);
    check("published == ('a' in auth.roles ? true : false)", expect!["!a"]);
}
