// The front page: one request for the tags, one for the posts with everything the
// page shows of them. Rows are put into the page as text, never as markup.

const POSTS = "title,slug,summary,body,kind,published_at,reading_minutes,"
  + "author(handle,name),tags(name),comments(body,rating,author(name))";

async function rows(path, query) {
  const answer = await fetch(`/rest/v1/${path}?${new URLSearchParams(query)}`);
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.message);
  return body;
}

function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

function article(post) {
  const made = document.querySelector("#post").content.cloneNode(true);
  const put = (selector, text) => { made.querySelector(selector).textContent = text; };
  const day = new Date(post.published_at);
  put(".kind", post.kind);
  put("time", day.toLocaleDateString(undefined, { dateStyle: "long" }));
  made.querySelector("time").dateTime = post.published_at;
  put(".minutes", post.reading_minutes === null ? "" : `${post.reading_minutes} min`);
  put("h2", post.title);
  put(".summary", post.summary);
  put("summary", post.comments.length === 1 ? "Read, with one comment"
    : `Read, with ${post.comments.length || "no"} comments`);
  made.querySelector(".body").append(...post.body.split("\n\n").map((text) => element("p", text)));
  made.querySelector(".comments").append(...post.comments.map((comment) => {
    const item = element("li", "");
    item.append(element("strong", comment.author.name), ` ${comment.body}`);
    return item;
  }));
  const tags = post.tags.map((tag) => tag.name).join(", ");
  put(".by", `by ${post.author.name}${tags && ` · ${tags}`}`);
  return made;
}

async function show(tag) {
  const query = { select: POSTS, published: "is.true", order: "published_at.desc" };
  query["comments.order"] = "created_at";
  if (tag) {
    // `!inner` keeps the posts that have the tag; a second embed still lists all of theirs.
    query.select += ",chosen:tags!inner()";
    query["chosen.name"] = `eq.${tag}`;
  }
  const main = document.querySelector("#posts");
  try {
    main.replaceChildren(...(await rows("posts", query)).map(article));
  } catch (error) {
    main.replaceChildren(element("p", `The posts cannot be shown: ${error.message}`));
  }
}

async function start() {
  const nav = document.querySelector("#tags");
  const choices = ["", ...(await rows("tags", { select: "name", order: "name" })).map((tag) => tag.name)];
  nav.append(...choices.map((tag) => {
    const button = element("button", tag || "everything");
    button.ariaPressed = String(tag === "");
    button.onclick = () => {
      for (const other of nav.children) other.ariaPressed = String(other === button);
      show(tag);
    };
    return button;
  }));
}

show("");
start();
