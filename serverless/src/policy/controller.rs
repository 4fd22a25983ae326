//! Policies of several kinds with one state.

use std::cell::RefCell;
use std::rc::Rc;

use hearth_policy_api::boundary::{CallFailure, Instance, Object, Orders, Role, Seat};
use hearth_policy_api::{Parameters, PolicyDescriptor, PolicyKind};

use super::{Factory, PolicyRecord};

/// A policy of several kinds, whose instance serves in all its slots of a service.
#[derive(Clone, Debug)]
pub struct Controller {
    descriptor: PolicyDescriptor,
    parameters: Rc<Parameters>,
    record: PolicyRecord,
    made: Made,
}

/// The instance of a service, which its orders tell from others.
type Made = Rc<RefCell<Option<(Rc<Orders>, Instance)>>>;

impl Controller {
    pub(super) fn new(descriptor: PolicyDescriptor, parameters: Parameters, record: PolicyRecord) -> Self {
        Self { descriptor, parameters: Rc::new(parameters), record, made: Rc::default() }
    }

    /// Whether it is a policy of this kind.
    pub fn is(&self, kind: PolicyKind) -> bool {
        self.descriptor.is(kind)
    }

    /// Makes its instance for a slot, or gives the one that the service has already.
    pub(crate) fn factory<T: Role>(&self) -> Factory<Object<T>> {
        let Self { descriptor, parameters, made, .. } = self.clone();
        let mut factory = Factory::new(self.record.clone(), move |seat: &Seat| {
            let mut made = made.borrow_mut();
            let instance = match &*made {
                Some((orders, instance)) if Rc::ptr_eq(orders, seat.orders()) => instance.clone(),
                _ => descriptor.make_instance(&parameters, seat)?,
            };
            *made = Some((Rc::clone(seat.orders()), instance.clone()));
            instance.role().ok_or_else(|| CallFailure { cause: "is another kind of policy".to_owned() })
        });
        factory.is_of_controller = true;
        factory
    }
}
