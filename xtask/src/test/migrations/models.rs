//! The text of the app's models, each as one step or several have it.

pub(super) const PEOPLE: &str = r#"[model]
id = "int"
timestamps = false

[fields]
name = { type = "text", required = true }
email = "text"
born = "text"
level = "int"
city = "text"
"#;

pub(super) const PEOPLE_WITH_NICKS: &str = r#"[model]
id = "int"
timestamps = false

[fields]
name = { type = "text", required = true }
email = "text"
born = "text"
level = "int"
city = "text"
nick = { type = "text", unique = true }

[[index]]
fields = ["city"]
"#;

pub(super) const PEOPLE_WITH_TWO_NAMES: &str = r#"[model]
id = "int"
timestamps = false

[fields]
first = { type = "text", required = true, default = "" }
last = "text"
email = "text"
born = "text"
level = "int"
city = "text"
nick = { type = "text", unique = true }

[[index]]
fields = ["city"]
"#;

pub(super) const PEOPLE_OF_ONE_EMAIL: &str = r#"[model]
id = "int"
timestamps = false

[fields]
first = { type = "text", required = true, default = "" }
last = "text"
email = { type = "text", unique = true }
born = "text"
level = "int"
city = "text"
nick = { type = "text", unique = true }

[[index]]
fields = ["city"]
"#;

pub(super) const PEOPLE_WITHOUT_CITIES: &str = r#"[model]
id = "int"
timestamps = false

[fields]
first = { type = "text", required = true, default = "" }
last = "text"
email = { type = "text", unique = true }
born = "text"
level = "int"
nick = { type = "text", unique = true }
"#;

pub(super) const PEOPLE_WITH_DATES: &str = r#"[model]
id = "int"
timestamps = false

[fields]
first = { type = "text", required = true, default = "" }
last = "text"
email = { type = "text", unique = true }
born = "date"
level = "int"
nick = { type = "text", unique = true }
"#;

pub(super) const PEOPLE_WITH_LEVELS: &str = r#"[model]
id = "int"
timestamps = false

[fields]
first = { type = "text", required = true, default = "" }
last = "text"
email = { type = "text", unique = true }
born = "date"
level = { type = "int", required = true, default = 1 }
nick = { type = "text", unique = true }
"#;

pub(super) const POSTS: &str = r#"[model]
timestamps = false

[fields]
title = { type = "text", required = true }
body = "text"
author = { type = "int", required = true }
price = "float"
published = { type = "int", default = 0 }
posted_at = "timestamp"
"#;

pub(super) const POSTS_WITH_VIEWS: &str = r#"[model]
timestamps = false

[fields]
title = { type = "text", required = true }
body = "text"
author = { type = "int", required = true }
price = "float"
published = { type = "int", default = 0 }
posted_at = "timestamp"
views = { type = "int", required = true, default = 0 }
"#;

pub(super) const POSTS_WITH_HEADLINES: &str = r#"[model]
timestamps = false

[fields]
headline = { type = "text", required = true }
body = "text"
author = { type = "int", required = true }
price = "float"
published = { type = "int", default = 0 }
posted_at = "timestamp"
views = { type = "int", required = true, default = 0 }

[[index]]
fields = ["headline"]
"#;

pub(super) const POSTS_WITH_EXACT_PRICES: &str = r#"[model]
timestamps = false

[fields]
headline = { type = "text", required = true }
body = "text"
author = { type = "int", required = true }
price = { type = "decimal", precision = 10, scale = 2 }
published = { type = "int", default = 0 }
posted_at = "timestamp"
views = { type = "int", required = true, default = 0 }

[[index]]
fields = ["headline"]
"#;

pub(super) const POSTS_WITH_AUTHORS: &str = r#"[model]
timestamps = false

[fields]
headline = { type = "text", required = true }
body = "text"
author = { type = "ref", to = "people", required = true, on_delete = "cascade" }
price = { type = "decimal", precision = 10, scale = 2 }
published = { type = "int", default = 0 }
posted_at = "timestamp"
views = { type = "int", required = true, default = 0 }

[[index]]
fields = ["headline"]
"#;

pub(super) const POSTS_OF_ONE_HEADLINE: &str = r#"[model]
timestamps = false

[fields]
headline = { type = "text", required = true }
body = "text"
author = { type = "ref", to = "people", required = true, on_delete = "cascade" }
price = { type = "decimal", precision = 10, scale = 2 }
published = { type = "int", default = 0 }
posted_at = "timestamp"
views = { type = "int", required = true, default = 0 }

[[index]]
fields = ["headline"]

[[index]]
fields = ["author", "headline"]
unique = true
"#;

pub(super) const POSTS_WITHOUT_BODIES: &str = r#"[model]
timestamps = false

[fields]
headline = { type = "text", required = true }
author = { type = "ref", to = "people", required = true, on_delete = "cascade" }
price = { type = "decimal", precision = 10, scale = 2 }
published = { type = "int", default = 0 }
posted_at = "timestamp"
views = { type = "int", required = true, default = 0 }

[[index]]
fields = ["headline"]

[[index]]
fields = ["author", "headline"]
unique = true
"#;

pub(super) const POSTS_WITH_TAGS: &str = r#"[model]
timestamps = false

[fields]
headline = { type = "text", required = true }
author = { type = "ref", to = "people", required = true, on_delete = "cascade" }
price = { type = "decimal", precision = 10, scale = 2 }
published = { type = "int", default = 0 }
posted_at = "timestamp"
views = { type = "int", required = true, default = 0 }
tag = { type = "ref", to = "tags", on_delete = "set_null" }

[[index]]
fields = ["headline"]

[[index]]
fields = ["author", "headline"]
unique = true
"#;

pub(super) const POSTS_WITH_DATES: &str = r#"[model]
timestamps = false

[fields]
headline = { type = "text", required = true }
author = { type = "ref", to = "people", required = true, on_delete = "cascade" }
price = { type = "decimal", precision = 10, scale = 2 }
published = { type = "bool", default = false }
posted_at = "date"
views = { type = "int", required = true, default = 0 }
tag = { type = "ref", to = "tags", on_delete = "set_null" }

[[index]]
fields = ["headline"]

[[index]]
fields = ["author", "headline"]
unique = true

[[index]]
fields = ["published", "-posted_at"]
"#;

pub(super) const POSTS_THAT_HOLD_AUTHORS: &str = r#"[model]
timestamps = false

[fields]
headline = { type = "text", required = true }
author = { type = "ref", to = "people", required = true, on_delete = "restrict" }
price = { type = "decimal", precision = 10, scale = 2 }
published = { type = "bool", default = false }
posted_at = "date"
views = { type = "int", required = true, default = 0 }
tag = { type = "ref", to = "tags", on_delete = "set_null" }

[[index]]
fields = ["published", "-posted_at"]
"#;

pub(super) const POSTS_OF_USERS: &str = r#"[model]
timestamps = false

[fields]
headline = { type = "text", required = true }
author = { type = "ref", to = "members", required = true, on_delete = "restrict" }
price = { type = "decimal", precision = 10, scale = 2 }
published = { type = "bool", default = false }
posted_at = "date"
views = { type = "int", required = true, default = 0 }
tag = { type = "ref", to = "tags", on_delete = "set_null" }

[[index]]
fields = ["published", "-posted_at"]
"#;

pub(super) const COMMENTS: &str = r#"[model]
id = "text"
timestamps = false

[fields]
post = { type = "uuid", required = true }
said = "text"
votes = "text"
meta = "json"
"#;

pub(super) const COMMENTS_WITH_FLAGS: &str = r#"[model]
id = "text"
timestamps = false

[fields]
post = { type = "uuid", required = true }
said = "text"
votes = "text"
meta = "json"
flagged = { type = "bool", required = true, default = false }
"#;

pub(super) const COMMENTS_WITH_COUNTS: &str = r#"[model]
id = "text"
timestamps = false

[fields]
post = { type = "uuid", required = true }
said = "text"
votes = "int"
meta = "json"
flagged = { type = "bool", required = true, default = false }
"#;

pub(super) const COMMENTS_ON_POSTS: &str = r#"[model]
id = "text"
timestamps = false

[fields]
post = { type = "ref", to = "posts", required = true, on_delete = "cascade" }
said = "text"
votes = "int"
meta = "json"
flagged = { type = "bool", required = true, default = false }
"#;

pub(super) const NOTES: &str = r#"[model]
id = "text"
timestamps = false

[fields]
post = { type = "ref", to = "posts", required = true, on_delete = "cascade" }
words = "text"
votes = "int"
meta = "json"
flagged = { type = "bool", required = true, default = false }

[[index]]
fields = ["post"]
"#;

pub(super) const NOTES_WITH_TEXTS: &str = r#"[model]
id = "text"
timestamps = false

[fields]
post = { type = "ref", to = "posts", required = true, on_delete = "cascade" }
words = "text"
votes = "int"
meta = "text"
flagged = { type = "bool", required = true, default = false }

[[index]]
fields = ["post"]
"#;

pub(super) const NOTES_BY_VOTES: &str = r#"[model]
id = "text"
timestamps = false

[fields]
post = { type = "ref", to = "posts", required = true, on_delete = "cascade" }
words = "text"
votes = "int"
meta = "text"
flagged = { type = "bool", required = true, default = false }

[[index]]
fields = ["post"]

[[index]]
fields = ["-votes", "words"]
"#;
