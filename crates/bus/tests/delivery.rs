//! Nothing that was recorded is lost, whatever happens to broker, publisher and subscriber; with real brokers.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "test helpers may fail the test and print")]

mod support;

use parapet_bus::{BrokerConfig, EmbeddedBroker, EmbeddedConfig, Publisher, Subscriber, wire::Message};
use parapet_core::HealthState;
use support::{
    LogHandler, MemoryOutbox, Mosquitto, all_arrive, all_sent, incident, node, publish, publisher_options,
    running, subscribe, subscriber_options,
};

async fn embedded() -> EmbeddedBroker {
    let config = EmbeddedConfig { listen: "127.0.0.1:0".parse().unwrap(), ..EmbeddedConfig::default() };
    EmbeddedBroker::start(&config).await.unwrap()
}

async fn every_message_arrives_once(config: &BrokerConfig) {
    let (outbox, handler) = (MemoryOutbox::default(), LogHandler::new());
    let subscriber = subscribe(config, &handler);
    handler.until("subscribed", |_| true).await;
    for n in 0..200 {
        outbox.record(&incident(n));
    }
    let publisher = publish(config, &outbox);
    for n in 200..500 {
        outbox.record(&incident(n));
    }
    all_arrive(&handler, &outbox, 500).await;
    publisher.stop().await;
    handler.until("the farewell", |log| offline(log.states.last())).await;
    subscriber.stop().await;
}

fn offline(state: Option<&Message>) -> bool {
    matches!(state, Some(Message::NodeStatus(node)) if !node.online)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_message_arrives_through_the_embedded_broker() {
    let broker = embedded().await;
    every_message_arrives_once(&broker.client_config()).await;
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_message_arrives_through_mosquitto() {
    let Some(broker) = Mosquitto::start("persistence true").await else { return };
    every_message_arrives_once(&broker.config()).await;
}

/// Without persistence the broker forgets sessions, subscriptions and whatever it had acknowledged.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_is_killed_and_forgets_everything_loses_nothing() {
    let Some(broker) = Mosquitto::start("persistence false").await else { return };
    killed_mid_stream(broker).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_is_killed_and_remembers_an_older_state_loses_nothing() {
    let extra = "persistence true\nautosave_on_changes true\nautosave_interval 40\nmax_queued_messages 0";
    let Some(broker) = Mosquitto::start(extra).await else { return };
    killed_mid_stream(broker).await;
}

async fn killed_mid_stream(mut broker: Mosquitto) {
    let (outbox, handler) = (MemoryOutbox::default(), LogHandler::new());
    let config = broker.config();
    let subscriber = subscribe(&config, &handler);
    let publisher = publish(&config, &outbox);
    let mut recorded = 0;
    for round in 1..=5 {
        for _ in 0..100 {
            outbox.record(&incident(recorded));
            recorded += 1;
        }
        // In the middle of the stream: some have arrived, most have not.
        handler.until("the stream flows", |log| log.distinct() > (round - 1) * 100 + 20).await;
        broker.kill();
        for _ in 0..50 {
            outbox.record(&incident(recorded));
            recorded += 1;
        }
        broker.run().await;
        handler.until("the stream flows again", |log| log.distinct() >= round * 100).await;
    }
    all_arrive(&handler, &outbox, recorded).await;
    publisher.stop().await;
    subscriber.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_embedded_broker_can_be_stopped_and_started_on_the_same_port() {
    let broker = embedded().await;
    let (outbox, handler) = (MemoryOutbox::default(), LogHandler::new());
    let config = broker.client_config();
    let address = broker.address();
    let subscriber = subscribe(&config, &handler);
    let publisher = publish(&config, &outbox);
    (0..100).for_each(|n| outbox.record(&incident(n)));
    handler.until("the stream flows", |log| log.distinct() > 10).await;
    broker.stop().await;
    assert!(tokio::net::TcpStream::connect(address).await.is_err(), "it still listens");
    (100..200).for_each(|n| outbox.record(&incident(n)));
    let again = EmbeddedConfig { listen: address, ..EmbeddedConfig::default() };
    let broker = EmbeddedBroker::start(&again).await.unwrap();
    all_arrive(&handler, &outbox, 200).await;
    publisher.stop().await;
    subscriber.stop().await;
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_publisher_that_is_killed_goes_on_where_the_outbox_stands() {
    let broker = embedded().await;
    let config = broker.client_config();
    let (outbox, handler) = (MemoryOutbox::default(), LogHandler::new());
    let subscriber = subscribe(&config, &handler);
    for round in 0..5 {
        (round * 60..(round + 1) * 60).for_each(|n| outbox.record(&incident(n)));
        let publisher = publish(&config, &outbox);
        handler.until("the stream flows", |log| log.distinct() > round * 60 + 10).await;
        publisher.kill().await;
    }
    let publisher = publish(&config, &outbox);
    all_arrive(&handler, &outbox, 300).await;
    publisher.stop().await;
    subscriber.stop().await;
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_while_the_subscriber_is_away_waits_for_it() {
    let broker = embedded().await;
    let config = broker.client_config();
    let (outbox, handler) = (MemoryOutbox::default(), LogHandler::new());
    let publisher = publish(&config, &outbox);
    for round in 0..4 {
        let subscriber = subscribe(&config, &handler);
        (round * 50..round * 50 + 25).for_each(|n| outbox.record(&incident(n)));
        handler.until("the stream flows", |log| log.distinct() > round * 50 + 5).await;
        subscriber.kill().await;
        (round * 50 + 25..(round + 1) * 50).for_each(|n| outbox.record(&incident(n)));
    }
    let subscriber = subscribe(&config, &handler);
    all_arrive(&handler, &outbox, 200).await;
    subscriber.stop().await;
    publisher.stop().await;
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_handler_refuses_comes_again_until_it_is_committed() {
    let broker = embedded().await;
    let config = broker.client_config();
    let (outbox, handler) = (MemoryOutbox::default(), LogHandler::new());
    handler.0.send_modify(|log| log.refusals = 5);
    let subscriber = subscribe(&config, &handler);
    let publisher = publish(&config, &outbox);
    (0..40).for_each(|n| outbox.record(&incident(n)));
    all_arrive(&handler, &outbox, 40).await;
    assert_eq!(handler.0.borrow().refused, 5);
    publisher.stop().await;
    subscriber.stop().await;
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payload_that_is_no_message_is_kept_and_does_not_stop_the_others() {
    let broker = embedded().await;
    let config = broker.client_config();
    let handler = LogHandler::new();
    let subscriber = subscribe(&config, &handler);
    let mut options = rumqttc::MqttOptions::new("stranger", "127.0.0.1", broker.address().port());
    options.set_clean_session(true);
    let (client, mut event_loop) = rumqttc::AsyncClient::new(options, 100);
    let stranger = tokio::spawn(async move { while event_loop.poll().await.is_ok() {} });
    let topic = incident(0).topic();
    let wrong_topic = topic.replace("gate-north", "another-camera");
    let publish = |topic: String, payload: Vec<u8>| {
        client.try_publish(topic, rumqttc::QoS::AtLeastOnce, false, payload).unwrap();
    };
    // Whoever publishes before the subscription stands is not heard; so repeat one until it is.
    let mut probe = 1_000;
    while handler.0.borrow().distinct() == 0 {
        publish(topic.clone(), incident(probe).encode());
        probe += 1;
        tokio::time::timeout(
            std::time::Duration::from_millis(200),
            handler.until("a probe", |log| log.distinct() > 0),
        )
        .await
        .ok();
    }
    publish(topic.clone(), b"no json".to_vec());
    publish(topic.clone(), br#"{"schema":"parapet.incident.v7"}"#.to_vec());
    publish(wrong_topic.clone(), incident(1).encode());
    publish(topic.clone(), incident(2).encode());
    let last = incident(2);
    let Message::Incident(last) = last else { unreachable!("it is an incident") };
    handler
        .until("the good one", |log| log.events.contains(&last.event.event_id) && log.letters.len() == 3)
        .await;
    let letters: Vec<_> = handler.0.borrow().letters.iter().map(|(topic, _)| topic.clone()).collect();
    assert_eq!(letters, [topic.clone(), topic, wrong_topic]);
    assert_eq!(handler.0.borrow().letters[0].1, b"no json");
    stranger.abort();
    subscriber.stop().await;
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn states_are_retained_and_a_crash_is_told_by_the_last_will() {
    let broker = embedded().await;
    let config = broker.client_config();
    let outbox = MemoryOutbox::default();
    let publisher = Publisher::new(&config, node(), outbox.clone(), publisher_options()).unwrap();
    let board = publisher.status();
    let camera = |state| {
        let node = node();
        Message::CameraStatus(parapet_bus::wire::CameraStatus {
            site: node.site,
            node: node.node,
            camera: "gate-north".parse().unwrap(),
            name: None,
            state,
            at: node.at,
            run: None,
            reconnects: 0,
            detail: None,
            analysed_fps: None,
            width: None,
            height: None,
            synthetic: false,
            removed: false,
            private: parapet_core::PrivateAreas::default(),
        })
    };
    board.set(&camera(HealthState::Connecting));
    let publisher = running(|token| tokio::spawn(publisher.run(token)));
    board.set(&camera(HealthState::Streaming));

    let early = LogHandler::new();
    let subscriber = subscribe(&config, &early);
    early
        .until("the camera streams", |log| {
            log.states.last() == Some(&camera(HealthState::Streaming))
                || log.states.contains(&camera(HealthState::Streaming))
        })
        .await;
    subscriber.stop().await;

    // One who comes later gets the present state at once.
    let late = LogHandler::new();
    let subscriber = Subscriber::new(&config, "late", late.clone(), subscriber_options()).unwrap();
    let subscriber = running(|token| tokio::spawn(async move { drop(subscriber.run(token).await) }));
    late.until("the retained states", |log| {
        log.states.contains(&camera(HealthState::Streaming))
            && log.states.contains(&Message::NodeStatus(node()))
    })
    .await;
    publisher.kill().await;
    late.until("the last will", |log| offline(log.states.last())).await;
    subscriber.stop().await;
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_is_marked_only_after_its_own_acknowledgement() {
    let Some(mut broker) = Mosquitto::start("persistence false").await else { return };
    let outbox = MemoryOutbox::default();
    (0..10).for_each(|n| outbox.record(&incident(n)));
    let publisher = publish(&broker.config(), &outbox);
    all_sent(&outbox).await;
    assert_eq!(outbox.marks(), (1..=10).collect::<Vec<_>>());
    broker.kill();
    (10..20).for_each(|n| outbox.record(&incident(n)));
    publisher.stop().await;
    assert_eq!(outbox.unsent(), 10, "nobody was there to acknowledge");
    assert!(broker.path().exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_center_that_comes_later_gets_what_was_acknowledged_and_went_nowhere() {
    let Some(broker) = Mosquitto::start("persistence false").await else { return };
    let (outbox, handler) = (MemoryOutbox::default(), LogHandler::new());
    (0..50).for_each(|n| outbox.record(&incident(n)));
    let publisher = publish(&broker.config(), &outbox);
    all_sent(&outbox).await;
    let subscriber = subscribe(&broker.config(), &handler);
    all_arrive(&handler, &outbox, 50).await;
    publisher.stop().await;
    subscriber.stop().await;
}

#[tokio::test]
async fn a_password_is_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("password");
    std::fs::write(&file, "wall and parapet\n").unwrap();
    let config = EmbeddedConfig {
        listen: "127.0.0.1:0".parse().unwrap(),
        username: Some("node".to_owned()),
        password_file: Some(file.clone()),
        password_env: None,
    };
    let broker = EmbeddedBroker::start(&config).await.unwrap();
    let outbox = MemoryOutbox::default();
    outbox.record(&incident(0));
    let stranger = publish(&BrokerConfig::at("127.0.0.1", broker.address().port()), &outbox);
    let known =
        publish(&BrokerConfig { client_id_prefix: "known".to_owned(), ..broker.client_config() }, &outbox);
    all_sent(&outbox).await;
    known.stop().await;
    outbox.record(&incident(1));
    stranger.stop().await;
    assert_eq!(outbox.unsent(), 1, "a stranger got in");
    broker.stop().await;
}

#[tokio::test]
async fn a_port_in_use_is_an_error_with_a_hint() {
    let broker = embedded().await;
    let config = EmbeddedConfig { listen: broker.address(), ..EmbeddedConfig::default() };
    let error = EmbeddedBroker::start(&config).await.unwrap_err();
    assert!(error.to_string().contains("hint:"), "{error}");
    broker.stop().await;
}
