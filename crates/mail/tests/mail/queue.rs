//! The queue, on each store.

use std::{sync::Arc, time::Duration};

use mainstay_mail::{ATTEMPTS_MAX, SendError};
use mainstay_store::End;

use super::engine::open;
use crate::{
    harness::Queue,
    scripted::{Fate, Scripted},
};

const WORDS: &str = "Grüße|Open https://blog.example/?token=x|<p>Open</p>";
/// Longer than a claim holds, and than any wait for the next attempt.
const LONG: Duration = Duration::from_secs(3_600);

fn later() -> Fate {
    Fate::Refuse(SendError::Transient("451 ask\r\nagain".to_owned()))
}

#[tokio::test]
async fn a_mail_is_sent_once_and_its_words_are_forgotten() {
    let (store, _engine) = open().await;
    let queue = Queue::on(store).await;
    let (transport, mut given) = Scripted::new([]);
    let sender = queue.sender(transport);
    let id = queue.put("ada@example.com").await;
    assert_eq!(queue.rows().await, [format!("waiting|0|{WORDS}|")]);
    sender.send_due().await;
    sender.send_due().await;
    let mail = given.try_recv().unwrap();
    assert_eq!((mail.id, &*mail.kind, &*mail.to), (id, "recovery", "ada@example.com"));
    assert_eq!((&*mail.subject, mail.html.as_deref()), ("Grüße", Some("<p>Open</p>")));
    assert!(given.try_recv().is_err());
    assert_eq!(queue.rows().await, ["sent|1||||"]);
}

#[tokio::test]
async fn a_mail_whose_transaction_was_taken_back_is_not_sent() {
    let (store, _engine) = open().await;
    let queue = Queue::on(store).await;
    let (transport, mut given) = Scripted::new([]);
    queue.put_until("ada@example.com", End::RollBack).await;
    queue.sender(transport).send_due().await;
    assert!(given.try_recv().is_err());
    assert!(queue.rows().await.is_empty());
}

#[tokio::test]
async fn a_mail_that_was_refused_for_now_is_sent_later() {
    let (store, _engine) = open().await;
    let queue = Queue::on(store).await;
    let (transport, mut given) = Scripted::new([later()]);
    let sender = queue.sender(transport);
    queue.put("ada@example.com").await;
    sender.send_due().await;
    let first = given.try_recv().unwrap();
    assert_eq!(queue.rows().await, [format!("waiting|1|{WORDS}|451 ask  again")]);
    queue.pass(Duration::from_secs(7));
    sender.send_due().await;
    assert!(given.try_recv().is_err(), "not before its time");
    queue.pass(Duration::from_secs(6));
    sender.send_due().await;
    assert_eq!(given.try_recv().unwrap(), first, "the same mail under the same id");
    assert_eq!(queue.rows().await, ["sent|2||||"]);
}

#[tokio::test]
async fn a_mail_that_was_refused_for_good_is_given_up_at_once() {
    let (store, _engine) = open().await;
    let queue = Queue::on(store).await;
    let refused = Fate::Refuse(SendError::Permanent("550 nobody".to_owned()));
    let (transport, mut given) = Scripted::new([refused]);
    let sender = queue.sender(transport);
    queue.put("ada@example.com").await;
    sender.send_due().await;
    queue.pass(LONG);
    sender.send_due().await;
    assert!(given.try_recv().is_ok() && given.try_recv().is_err());
    assert_eq!(queue.rows().await, ["dead|1||||550 nobody"]);
}

#[tokio::test]
async fn a_mail_is_not_tried_for_ever() {
    let (store, _engine) = open().await;
    let queue = Queue::on(store).await;
    let (transport, mut given) = Scripted::new((0..20).map(|_| later()));
    let sender = queue.sender(transport);
    queue.put("ada@example.com").await;
    for _ in 0..10 {
        sender.send_due().await;
        queue.pass(LONG);
    }
    given.close();
    assert_eq!(given.len(), ATTEMPTS_MAX as usize);
    assert_eq!(queue.rows().await, ["dead|6||||451 ask  again"]);
}

#[tokio::test]
async fn a_mail_outlives_the_sender_that_died_over_it() {
    let (store, _engine) = open().await;
    let queue = Queue::on(store).await;
    queue.put("ada@example.com").await;
    for attempt in 1..=ATTEMPTS_MAX {
        let (hangs, mut given) = Scripted::new([Fate::Hang]);
        let dying = queue.sender(hangs);
        let dying = tokio::spawn(async move { dying.send_due().await });
        given.recv().await.unwrap();
        dying.abort();
        assert!(dying.await.unwrap_err().is_cancelled());
        assert_eq!(queue.rows().await, [format!("sending|{attempt}|{WORDS}|")]);

        let (transport, mut given) = Scripted::new([]);
        queue.sender(transport).send_due().await;
        assert!(given.try_recv().is_err(), "it may yet be on its way");
        queue.pass(LONG);
    }
    let (transport, mut given) = Scripted::new([]);
    queue.sender(transport).send_due().await;
    assert!(given.try_recv().is_err(), "it has had all its attempts");
    let end = "dead|6||||the last attempt did not come to an end";
    assert_eq!(queue.rows().await, [end]);
}

#[tokio::test]
async fn who_has_sent_a_mail_is_believed_though_its_claim_is_over() {
    let (store, _engine) = open().await;
    let queue = Queue::on(store).await;
    queue.put("ada@example.com").await;
    let (slow, mut slow_given) = Scripted::new([Fate::Hang]);
    let slow_sender = queue.sender(Arc::clone(&slow) as _);
    let slow_sending = tokio::spawn(async move { slow_sender.send_due().await });
    slow_given.recv().await.unwrap();
    queue.pass(LONG);
    let (other, mut other_given) = Scripted::new([Fate::Hang, later()]);
    let other_sender = queue.sender(Arc::clone(&other) as _);
    let other_sending = tokio::spawn(async move { other_sender.send_due().await });
    other_given.recv().await.unwrap();
    slow.let_go();
    slow_sending.await.unwrap();
    assert_eq!(queue.rows().await, ["sent|2||||"]);
    other.let_go();
    other_sending.await.unwrap();
    assert_eq!(queue.rows().await, ["sent|2||||"]);
}

#[tokio::test]
async fn of_many_senders_one_sends_a_mail() {
    let (store, _engine) = open().await;
    let queue = Queue::on(store).await;
    let mut put = Vec::new();
    for number in 0..30 {
        put.push(queue.put(&format!("ada{number}@example.com")).await);
    }
    let (transport, mut given) = Scripted::new([]);
    let senders: Vec<_> = (0..3)
        .map(|_| {
            let sender = queue.sender(Arc::clone(&transport) as _);
            tokio::spawn(async move { sender.send_due().await })
        })
        .collect();
    for sender in senders {
        sender.await.unwrap();
    }
    let mut sent = Vec::new();
    while let Ok(mail) = given.try_recv() {
        sent.push(mail.id);
    }
    sent.sort();
    put.sort();
    assert_eq!(sent, put);
    assert!(queue.rows().await.iter().all(|row| row == "sent|1||||"));
}

#[tokio::test]
async fn a_sender_that_runs_is_woken_and_stops_in_time() {
    let (store, _engine) = open().await;
    let queue = Queue::on(store).await;
    let (transport, mut given) = Scripted::new([Fate::Hang, Fate::Hang]);
    let sender = queue.sender(Arc::clone(&transport) as _);
    let waker = sender.waker();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let stopped = async { drop(stopped.await) };
    let running = tokio::spawn(sender.run(stopped, Duration::from_secs(30)));
    queue.put("ada@example.com").await;
    waker.wake();
    given.recv().await.unwrap();
    // Though one is still under way.
    queue.put("grace@example.com").await;
    waker.wake();
    given.recv().await.unwrap();
    stop.send(()).unwrap();
    transport.let_go();
    transport.let_go();
    running.await.unwrap();
    assert_eq!(queue.rows().await, ["sent|1||||", "sent|1||||"]);

    queue.put("late@example.com").await;
    let (transport, mut given) = Scripted::new([Fate::Hang]);
    queue.sender(transport).run(async {}, Duration::ZERO).await;
    assert!(given.try_recv().is_err(), "it was stopped before it began");
}

#[tokio::test]
async fn what_takes_too_long_at_the_end_is_left_to_its_claim() {
    let (store, _engine) = open().await;
    let queue = Queue::on(store).await;
    let (transport, mut given) = Scripted::new([Fate::Hang]);
    queue.put("ada@example.com").await;
    let begun = async { drop(given.recv().await) };
    queue.sender(transport).run(begun, Duration::ZERO).await;
    assert_eq!(queue.rows().await, [format!("sending|1|{WORDS}|")]);
}

#[tokio::test]
async fn rows_are_forgotten_a_week_after_their_mails_were_sent() {
    let (store, _engine) = open().await;
    let queue = Queue::on(store).await;
    let (transport, _given) = Scripted::new([]);
    for _ in 0..3 {
        queue.put("ada@example.com").await;
    }
    queue.sender(Arc::clone(&transport) as _).send_due().await;
    queue.pass(Duration::from_secs(6 * 24 * 3_600));
    queue.sender(Arc::clone(&transport) as _).send_due().await;
    assert_eq!(queue.rows().await.len(), 3);
    queue.pass(Duration::from_secs(2 * 24 * 3_600));
    queue.put("ada@example.com").await;
    queue.sender(transport).send_due().await;
    assert_eq!(queue.rows().await, ["sent|1||||"]);
}
