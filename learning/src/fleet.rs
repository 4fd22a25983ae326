//! Many environments that go step by step together, on several threads.

use std::num::NonZeroUsize;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

use hearth_serverless::results::Summary;

use crate::{Environment, EpisodeEnd, LearningError, Task};

/// What is to be seen of all environments after a step, or after the begin of episodes.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Batch {
    /// What is seen in each environment at the decision that is due, one environment after the other.
    pub observations: Vec<f32>,
    /// What was gained in each.
    pub rewards: Vec<f64>,
    /// Whether the episode of each has ended with the step.
    pub terminated: Vec<bool>,
    /// What came of those that have ended, by number of the environment.
    pub ends: Vec<(usize, EpisodeEnd)>,
}

/// What a thread is to do.
enum Order {
    /// Begin episodes: the environment, and the seed.
    Begin(Vec<(usize, u64)>),
    /// Decide in each environment; where an episode ends, the next begins with its seed of these, if there are any.
    Step(Vec<usize>, Option<Vec<u64>>),
    /// The summary of the episode that has ended in an environment.
    Summary(usize),
}

enum Answer {
    Batch(Result<Batch, LearningError>),
    Summary(Option<Box<Summary>>),
}

struct Crew {
    /// How many environments it has.
    size: usize,
    orders: Option<Sender<Order>>,
    answers: Receiver<Answer>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Crew {
    /// Environments end on their thread.
    fn drop(&mut self) {
        self.orders = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Environments of one task that go step by step together. Each stays on a thread; what comes of them does not depend on how many
/// threads there are.
///
/// ```
/// use std::num::NonZeroUsize;
/// use hearth_learning::{Fleet, KeepAliveTask, Task};
/// let task = Task::keep_alive(Task::default_keep_alive(), KeepAliveTask::default())?;
/// let two = NonZeroUsize::MIN.saturating_add(1);
/// let mut fleet = Fleet::new(&task, two.saturating_add(1), two)?;
/// fleet.begin(&[(0, 7), (1, 8), (2, 7)])?;
/// let batch = fleet.step(&[3, 3, 3], None)?;
/// assert_eq!(batch.rewards[0], batch.rewards[2]);
/// # Ok::<(), hearth_learning::LearningError>(())
/// ```
pub struct Fleet {
    task: Task,
    environments: usize,
    crews: Vec<Crew>,
}

impl std::fmt::Debug for Fleet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { environments, crews, .. } = self;
        f.debug_struct("Fleet").field("environments", environments).field("threads", &crews.len()).finish()
    }
}

impl Fleet {
    /// So many environments on so many threads, or fewer if there are fewer environments.
    ///
    /// # Errors
    /// When something is wrong with the scenario that shows before it runs, or a thread cannot be had.
    pub fn new(task: &Task, environments: NonZeroUsize, threads: NonZeroUsize) -> Result<Self, LearningError> {
        Environment::new(task)?;
        let environments = environments.get();
        let threads = threads.get().min(environments);
        let crew = |number: usize| {
            let first = environments * number / threads;
            Crew::start(task, environments * (number + 1) / threads - first)
        };
        let crews = (0..threads).map(crew).collect::<Result<_, _>>()?;
        Ok(Self { task: task.clone(), environments, crews })
    }

    /// The task.
    pub fn task(&self) -> &Task {
        &self.task
    }

    /// How many environments there are.
    pub fn environments(&self) -> usize {
        self.environments
    }

    /// Begins episodes: in the environment of this number, with that seed. Rewards are 0, and nothing has ended.
    ///
    /// # Errors
    /// When there is nothing to decide.
    pub fn begin(&mut self, seeds: &[(usize, u64)]) -> Result<Batch, LearningError> {
        let mut first = 0;
        for crew in &self.crews {
            let own = first..first + crew.size;
            let of_crew = seeds.iter().filter(|(number, _)| own.contains(number));
            crew.send(Order::Begin(of_crew.map(|(number, seed)| (number - first, *seed)).collect()));
            first = own.end;
        }
        self.gather()
    }

    /// Decides in all environments, and goes on to the next decision or the end of each. Where an episode ends the next one begins,
    /// with the seed of its environment among `next`, and its first observation is shown; without `next`, zeros are, and the
    /// environment is to be begun anew before the next step.
    ///
    /// # Errors
    /// When there are not as many actions or seeds as environments, or with the first error of an environment.
    pub fn step(&mut self, actions: &[usize], next: Option<&[u64]>) -> Result<Batch, LearningError> {
        self.check("actions", actions.len())?;
        if let Some(next) = next {
            self.check("seeds", next.len())?;
        }
        let mut first = 0;
        for crew in &self.crews {
            let own = first..first + crew.size;
            let of_crew = next.and_then(|next| next.get(own.clone())).map(<[u64]>::to_vec);
            crew.send(Order::Step(actions.get(own.clone()).unwrap_or_default().to_vec(), of_crew));
            first = own.end;
        }
        self.gather()
    }

    fn check(&self, what: &'static str, given: usize) -> Result<(), LearningError> {
        let environments = self.environments;
        if given == environments { Ok(()) } else { Err(LearningError::Count { what, given, environments }) }
    }

    /// The summary of the last episode of an environment, from its end to the begin of the next.
    ///
    /// # Errors
    /// When its thread has ended.
    pub fn summary(&mut self, environment: usize) -> Result<Option<Summary>, LearningError> {
        let mut first = 0;
        for crew in &self.crews {
            if (first..first + crew.size).contains(&environment) {
                crew.send(Order::Summary(environment - first));
                return match crew.answers.recv() {
                    Ok(Answer::Summary(summary)) => Ok(summary.map(|summary| *summary)),
                    _ => Err(LearningError::ThreadEnded),
                };
            }
            first += crew.size;
        }
        Ok(None)
    }

    /// Puts together what all threads answer; each has answered when this comes back.
    fn gather(&mut self) -> Result<Batch, LearningError> {
        let mut all = Batch::default();
        let mut failure = None;
        let mut first = 0;
        for crew in &self.crews {
            match crew.answers.recv() {
                Ok(Answer::Batch(Ok(batch))) => {
                    all.observations.extend_from_slice(&batch.observations);
                    all.rewards.extend_from_slice(&batch.rewards);
                    all.terminated.extend_from_slice(&batch.terminated);
                    all.ends.extend(batch.ends.into_iter().map(|(number, end)| (first + number, end)));
                }
                Ok(Answer::Batch(Err(error))) => {
                    failure.get_or_insert(error);
                }
                _ => {
                    failure.get_or_insert(LearningError::ThreadEnded);
                }
            }
            first += crew.size;
        }
        failure.map_or(Ok(all), Err)
    }
}

impl Crew {
    fn start(task: &Task, size: usize) -> Result<Self, LearningError> {
        let (orders, received) = channel();
        let (answer, answers) = channel();
        let task = task.clone();
        let work = move || work(&task, size, &received, &answer);
        let thread = thread::Builder::new().name("hearth environments".to_owned()).spawn(work);
        let thread = thread.map_err(|cause| LearningError::Setting(format!("threads: none can be had: {cause}")))?;
        Ok(Self { size, orders: Some(orders), answers, thread: Some(thread) })
    }

    /// If the thread has ended, that shows when its answer is waited for.
    fn send(&self, order: Order) {
        if let Some(orders) = &self.orders {
            let _ = orders.send(order);
        }
    }
}

/// What a thread does until nobody has orders any more.
fn work(task: &Task, size: usize, orders: &Receiver<Order>, answers: &Sender<Answer>) {
    let mut environments: Vec<Environment> = (0..size).map(|_| Environment::unchecked(task)).collect();
    while let Ok(order) = orders.recv() {
        let answer = match order {
            Order::Begin(seeds) => Answer::Batch(begin(&mut environments, &seeds)),
            Order::Step(actions, next) => Answer::Batch(step(&mut environments, &actions, next.as_deref())),
            Order::Summary(number) => {
                let results = environments.get(number).and_then(Environment::results);
                Answer::Summary(results.map(|results| Box::new(Summary::new(results))))
            }
        };
        if answers.send(answer).is_err() {
            return;
        }
    }
}

fn begin(environments: &mut [Environment], seeds: &[(usize, u64)]) -> Result<Batch, LearningError> {
    for (number, seed) in seeds {
        if let Some(environment) = environments.get_mut(*number) {
            environment.reset(*seed)?;
        }
    }
    let rewards = vec![0.0; environments.len()];
    let terminated = vec![false; environments.len()];
    Ok(Batch { observations: observations(environments), rewards, terminated, ends: Vec::new() })
}

fn step(environments: &mut [Environment], actions: &[usize], next: Option<&[u64]>) -> Result<Batch, LearningError> {
    let mut batch = Batch::default();
    for (number, (environment, action)) in environments.iter_mut().zip(actions).enumerate() {
        let step = environment.step(*action)?;
        batch.rewards.push(step.reward);
        batch.terminated.push(step.terminated);
        if step.terminated {
            batch.ends.extend(environment.end().map(|end| (number, end.clone())));
            if let Some(seed) = next.and_then(|seeds| seeds.get(number)) {
                environment.reset(*seed)?;
            }
        }
    }
    batch.observations = observations(environments);
    Ok(batch)
}

fn observations(environments: &[Environment]) -> Vec<f32> {
    let width = environments.first().map_or(1, |environment| environment.task().features().len());
    let mut observations = vec![0.0; width * environments.len()];
    for (environment, target) in environments.iter().zip(observations.chunks_exact_mut(width)) {
        environment.observe(target);
    }
    observations
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::tests::keep_alive;

    fn fleet(environments: usize, threads: usize) -> Fleet {
        let number = |number| NonZeroUsize::new(number).unwrap();
        Fleet::new(&keep_alive(), number(environments), number(threads)).unwrap()
    }

    /// What is to be seen in so many steps of five environments.
    fn play(threads: usize, steps: usize) -> Vec<Batch> {
        let mut fleet = fleet(5, threads);
        let mut seeds: Vec<u64> = (1..=5).collect();
        let mut batches = vec![fleet.begin(&seeds.iter().copied().enumerate().collect::<Vec<_>>()).unwrap()];
        for step in 0..steps {
            let actions: Vec<usize> = (0..5).map(|number| (step * (number + 1) / 3) % 9).collect();
            let next: Vec<u64> = seeds.iter().map(|seed| seed + 10).collect();
            let batch = fleet.step(&actions, Some(&next)).unwrap();
            batch.ends.iter().for_each(|(number, end)| assert_eq!(end.seed, seeds[*number]));
            batch.ends.iter().for_each(|(number, _)| seeds[*number] = next[*number]);
            batches.push(batch);
        }
        batches
    }

    #[test]
    fn what_comes_of_it_is_what_comes_of_each_alone_on_any_number_of_threads() {
        let on_one = play(1, 2100);
        assert!(on_one == play(3, 2100) && on_one == play(9, 2100));
        let mut environment = Environment::new(&keep_alive()).unwrap();
        let width = environment.task().features().len();
        for number in [0, 4] {
            let mut seed = number as u64 + 1;
            environment.reset(seed).unwrap();
            let mut observation = vec![0.0; width];
            for (step, batch) in on_one.iter().enumerate().skip(1) {
                let moved = environment.step(((step - 1) * (number + 1) / 3) % 9).unwrap();
                assert_eq!(
                    (moved.reward, moved.terminated),
                    (batch.rewards[number], batch.terminated[number]),
                    "{step}"
                );
                if moved.terminated {
                    assert!(batch.ends.contains(&(number, environment.end().unwrap().clone())));
                    seed += 10;
                    environment.reset(seed).unwrap();
                }
                environment.observe(&mut observation);
                assert_eq!(observation, batch.observations[number * width..][..width]);
            }
            assert_eq!(seed, number as u64 + 21, "two episodes have ended");
        }
    }

    #[test]
    fn who_wants_no_next_episode_gets_the_summary_of_the_last() {
        let mut fleet = fleet(2, 2);
        fleet.begin(&[(0, 1), (1, 2)]).unwrap();
        assert!(fleet.summary(1).unwrap().is_none());
        let mut steps = 0;
        let last = loop {
            steps += 1;
            let batch = fleet.step(&[4, 4], None).unwrap();
            if batch.terminated.contains(&true) {
                break batch;
            }
        };
        assert_eq!((steps, last.terminated, last.observations), (1000, vec![true; 2], vec![0.0; 40]));
        let summary = fleet.summary(1).unwrap().unwrap();
        assert_eq!((summary.seed, summary.invocations), (2, 1000));
        assert!(matches!(fleet.step(&[4, 4], None), Err(LearningError::NotUnderWay)));
        fleet.begin(&[(0, 1), (1, 2)]).unwrap();
        let error = fleet.step(&[0, 9], None).unwrap_err();
        assert!(matches!(error, LearningError::Action { action: 9, actions: 9 }), "{error}");
        let error = fleet.step(&[0], None).unwrap_err().to_string();
        assert_eq!(error, "1 actions for 2 environments: give one for each");
        let error = fleet.step(&[0, 0], Some(&[1])).unwrap_err().to_string();
        assert_eq!(error, "1 seeds for 2 environments: give one for each");
    }
}
