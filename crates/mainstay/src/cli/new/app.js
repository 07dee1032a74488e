const query = 'select=title,body,created_at,author(name)&order=created_at.desc'
const answer = await fetch(`/rest/v1/posts?${query}`)
const posts = await answer.json()

document.querySelector('#posts').replaceChildren(
  ...posts.map(post => {
    const article = document.createElement('article')
    const title = document.createElement('h2')
    const by = document.createElement('small')
    const body = document.createElement('p')
    title.textContent = post.title
    by.textContent = post.author.name
    body.textContent = post.body
    article.append(title, by, body)
    return article
  })
)
