//! An account that is decided between a change and the reconciler's step about it.

use super::World;
use serde_json::json;

#[test]
fn a_membership_in_a_deleted_group_counts_until_its_end_is_told() {
    let world = World::new();
    let ada = world.user("ada");
    let account = world.account(ada);
    let group = world.group("Sales", &[ada]);
    let joined = world.now.get();
    world.decide(account);
    let other = world.group("Other", &[ada]);
    world.delete(group);
    let ended = world.now.get();
    // For another reason, before the reconciler has come to it.
    let told = world.told(account);
    assert_eq!(told[1], ("Sales".into(), joined, None));
    assert!(world.decide(account).is_empty());
    world.expand();
    let told = world.told(account);
    assert_eq!(told[1], ("Sales".into(), joined, Some(ended)));
    assert_eq!(world.decide(account), ["Sales"]);
    world.remove(other, ada);
    assert_eq!(world.decide(account), ["Other"]);
    assert_eq!(world.rows(), (0, 0, 0));
}

#[test]
fn what_a_deleted_group_led_to_counts_until_its_end_is_told() {
    let world = World::new();
    let ada = world.user("ada");
    let account = world.account(ada);
    let low = world.group("Low", &[ada]);
    let _high = world.group("High", &[low]);
    let nested = world.now.get();
    world.expand();
    world.decide(account);
    let _other = world.group("Other", &[ada]);
    world.delete(low);
    let ended = world.now.get();
    let told = world.told(account);
    assert_eq!(told[0], ("High".into(), nested, None));
    assert!(world.decide(account).is_empty());
    world.expand();
    assert_eq!(world.told(account)[1], ("High".into(), nested, Some(ended)));
    assert_eq!(world.decide(account), ["High", "Low"]);
    assert_eq!(world.rows(), (0, 0, 0));
}

#[test]
fn what_a_group_was_in_counts_until_its_end_is_told_to_its_members() {
    let world = World::new();
    let (ada, bob) = (world.user("ada"), world.user("bob"));
    let account = world.account(ada);
    let low = world.group("Low", &[ada]);
    let also = world.group("Also", &[ada]);
    let middle = world.group("Middle", &[low, also]);
    let high = world.group("High", &[middle]);
    let nested = world.now.get();
    world.expand();
    world.decide(account);
    world.remove(high, middle);
    let ended = world.now.get();
    // Out of one of the two ways: what it was in before is not lost a second time.
    world.remove(also, ada);
    world.add(low, bob);
    let told = world.told(account);
    assert_eq!(told[0], ("High".into(), nested, None));
    assert_eq!(world.decide(account), ["Also"]);
    // Who came afterwards was never in it.
    let of_bob = world.told(world.account(bob));
    assert!(of_bob.iter().all(|one| one.0 != "High"), "{of_bob:?}");
    world.expand();
    let told = world.told(account);
    assert_eq!(told[2], ("High".into(), nested, Some(ended)));
    assert_eq!(world.decide(account), ["High"]);
    assert!(world.decide(world.account(bob)).is_empty());
    assert_eq!(world.rows(), (0, 0, 0));
}

#[test]
fn what_very_many_lose_by_leaving_counts_until_its_end_is_told() {
    const COUNT: usize = 520;
    let world = World::new();
    let mut all: Vec<_> = (0..COUNT).map(|n| world.user(&format!("u{n}"))).collect();
    let low = world.group("Low", &all);
    let middle = world.group("Middle", &[low]);
    let _high = world.group("High", &[middle]);
    world.expand();
    all.sort_unstable();
    let accounts: Vec<_> = all.iter().map(|user| world.account(*user)).collect();
    world.decide_all(&accounts);
    world.patch(low, &json!({ "op": "remove", "path": "members" }));
    let last = accounts[COUNT - 1];
    assert_eq!(world.told(last).len(), 3);
    assert_eq!(world.decide(last), ["Low"]);
    world.expand();
    assert_eq!(world.decide(last), ["High", "Middle"]);
    let others = world.decide_all(&accounts[..COUNT - 1]);
    assert!(others.iter().all(|told| *told == ["High", "Low", "Middle"]));
    assert_eq!(world.rows(), (0, 0, 0));
}
