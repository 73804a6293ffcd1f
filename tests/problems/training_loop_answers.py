"""Answers to the problems of lesson 6."""

import keras
import numpy as np
import tensorflow as tf
from collected import right, right_answers, wrong, wrong_answers

loss_function = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def slopes(x, y, w, b, loss=tf.reduce_mean):
    with tf.GradientTape() as tape:
        value = loss((w * x + b - y) ** 2)
    return tape.gradient(value, [w, b])


@wrong("6.1", "uphill")
def plus(x, y, w, b, rate):
    dw, db = slopes(x, y, w, b)
    return w + rate * dw, b + rate * db


@wrong("6.1", "no_rate")
def whole_slope(x, y, w, b, rate):
    dw, db = slopes(x, y, w, b)
    return w - dw, b - db


@wrong("6.1", "the_gradients")
def only_slopes(x, y, w, b, rate):
    return slopes(x, y, w, b)


@wrong("6.1", "summed")
def sum_of_squares(x, y, w, b, rate):
    dw, db = slopes(x, y, w, b, tf.reduce_sum)
    return w - rate * dw, b - rate * db


@wrong("6.1", "updated_one_by_one")
def b_after_w(x, y, w, b, rate):
    w.assign_sub(rate * slopes(x, y, w, b)[0])
    b.assign_sub(rate * slopes(x, y, w, b)[1])
    return w, b


@wrong("6.1", "factor_two_dropped")
def by_hand_without_the_two(x, y, w, b, rate):
    error = w * x + b - y
    return w - rate * tf.reduce_mean(error * x), b - rate * tf.reduce_mean(error)


@wrong("6.1", "results_exchanged")
def b_first(x, y, w, b, rate):
    dw, db = slopes(x, y, w, b)
    return b - rate * db, w - rate * dw


@wrong("6.1", "tape_used_up")
def asks_twice(x, y, w, b, rate):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((w * x + b - y) ** 2)
    return w - rate * tape.gradient(loss, w), b - rate * tape.gradient(loss, b)


@right("6.1")
def with_a_tape(x, y, w, b, rate):
    dw, db = slopes(x, y, w, b)
    return w - rate * dw, b - rate * db


@right("6.1")
def in_place(x, y, w, b, rate):
    for variable, slope in zip((w, b), slopes(x, y, w, b)):
        variable.assign_sub(rate * slope)
    return w, b


@right("6.1")
def by_hand(x, y, w, b, rate):
    error = (w * x + b - y).numpy()
    return [
        float(w) - rate * 2 * np.mean(error * x.numpy()),
        float(b) - rate * 2 * np.mean(error),
    ]


def gradients_of(model, images, labels, training=True):
    with tf.GradientTape() as tape:
        loss = loss_function(labels, model(images, training=training))
    return loss, tape.gradient(loss, model.trainable_variables)


@wrong("6.2", "not_assigned", points=1)
def rebound(model, images, labels, rate):
    loss, gradients = gradients_of(model, images, labels)
    for variable, gradient in zip(model.trainable_variables, gradients):
        variable = variable - rate * gradient
    return loss


@wrong("6.2", "uphill", points=1)
def climbs(model, images, labels, rate):
    loss, gradients = gradients_of(model, images, labels)
    for variable, gradient in zip(model.trainable_variables, gradients):
        variable.assign_add(rate * gradient)
    return loss


@wrong("6.2", "no_rate", points=1)
def without_rate(model, images, labels, rate):
    loss, gradients = gradients_of(model, images, labels)
    for variable, gradient in zip(model.trainable_variables, gradients):
        variable.assign_sub(gradient)
    return loss


@wrong("6.2", "loss_after_the_step", points=3)
def loss_afterwards(model, images, labels, rate):
    _, gradients = gradients_of(model, images, labels)
    for variable, gradient in zip(model.trainable_variables, gradients):
        variable.assign_sub(rate * gradient)
    return loss_function(labels, model(images, training=True))


@wrong("6.2", "mode_of_use")
def forgot_training(model, images, labels, rate):
    loss, gradients = gradients_of(model, images, labels, training=False)
    for variable, gradient in zip(model.trainable_variables, gradients):
        variable.assign_sub(rate * gradient)
    return loss


@wrong("6.2", "keras_did_it")
def train_on_batch(model, images, labels, rate):
    model.compile(keras.optimizers.SGD(rate), loss_function)
    return model.train_on_batch(images, labels)


@wrong("6.2", "frozen_layer", points=2.5)
def all_weights(model, images, labels, rate):
    with tf.GradientTape() as tape:
        loss = loss_function(labels, model(images, training=True))
    for weight, gradient in zip(model.weights, tape.gradient(loss, model.weights)):
        weight.assign_sub(rate * gradient)
    return loss


@wrong("6.2", "no_loss_returned", points=3)
def nothing_returned(model, images, labels, rate):
    _, gradients = gradients_of(model, images, labels)
    for variable, gradient in zip(model.trainable_variables, gradients):
        variable.assign_sub(rate * gradient)


@right("6.2")
def tape_and_subtraction(model, images, labels, rate):
    loss, gradients = gradients_of(model, images, labels)
    for variable, gradient in zip(model.trainable_variables, gradients):
        variable.assign_sub(rate * gradient)
    return loss


@right("6.2")
def assigned_anew(model, images, labels, rate):
    loss, gradients = gradients_of(model, images, labels)
    for i, gradient in enumerate(gradients):
        variable = model.trainable_variables[i]
        variable.assign(variable - rate * gradient)
    return float(loss)


@right("6.2")
def loss_by_tensorflow(model, images, labels, rate):
    with tf.GradientTape() as tape:
        logits = model(images, training=True)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
        loss = tf.math.reduce_mean(losses)
    variables = model.trainable_variables
    [v.assign(v - rate * g) for v, g in zip(variables, tape.gradient(loss, variables))]
    return loss.numpy()


def slope_at(loss, w):
    with tf.GradientTape() as tape:
        y = loss(w)
    return tape.gradient(y, w)


def rolled(loss, w, steps, move, velocity=None):
    velocity = tf.zeros_like(w)
    places = []
    for _ in range(steps):
        velocity = move(velocity, slope_at(loss, w))
        w.assign_add(velocity)
        places.append(w.numpy())
    return places


@wrong("6.3", "no_memory")
def plain_descent(loss, w, rate, momentum, steps):
    return rolled(loss, w, steps, lambda v, g: -rate * g)


@wrong("6.3", "dampened")
def averaged(loss, w, rate, momentum, steps):
    return rolled(loss, w, steps, lambda v, g: momentum * v - (1 - momentum) * rate * g)


@wrong("6.3", "uphill")
def rolls_up(loss, w, rate, momentum, steps):
    return rolled(loss, w, steps, lambda v, g: momentum * v + rate * g)


@wrong("6.3", "no_friction")
def never_slows(loss, w, rate, momentum, steps):
    return rolled(loss, w, steps, lambda v, g: v - rate * g)


@wrong("6.3", "asleep")
def one_slope(loss, w, rate, momentum, steps):
    slope = slope_at(loss, w)
    return rolled(loss, w, steps, lambda v, g: momentum * v - rate * slope)


@wrong("6.3", "nesterov")
def looks_ahead(loss, w, rate, momentum, steps):
    velocity, places = tf.zeros_like(w), []
    for _ in range(steps):
        slope = slope_at(loss, w)
        velocity = momentum * velocity - rate * slope
        w.assign_add(momentum * velocity - rate * slope)
        places.append(w.numpy())
    return places


@wrong("6.3", "same_object")
def forgot_to_copy(loss, w, rate, momentum, steps):
    velocity, places = tf.zeros_like(w), []
    for _ in range(steps):
        velocity = momentum * velocity - rate * slope_at(loss, w)
        w.assign_add(velocity)
        places.append(w)
    return places


@right("6.3")
def as_keras(loss, w, rate, momentum, steps):
    return rolled(loss, w, steps, lambda v, g: momentum * v - rate * g)


@right("6.3")
def velocity_without_rate(loss, w, rate, momentum, steps):
    velocity, places = np.zeros(w.shape, np.float32), []
    for _ in range(steps):
        velocity = momentum * velocity + slope_at(loss, w).numpy()
        w.assign_sub(rate * velocity)
        places.append(w.numpy().copy())
    return np.array(places)


@right("6.3")
def by_the_last_two_places(loss, w, rate, momentum, steps):
    places = [w.numpy(), w.numpy()]
    for _ in range(steps):
        new = places[-1] - rate * slope_at(loss, w).numpy() + momentum * (places[-1] - places[-2])
        w.assign(new)
        places.append(new)
    return tf.stack(places[2:])


def adam(gradients, rate, beta_1, beta_2, first=1, mend=True, square=True, root=True):
    w = m = v = np.zeros(gradients.shape[1])
    places = []
    for t, gradient in enumerate(gradients.numpy(), start=first):
        m = beta_1 * m + (1 - beta_1) * gradient
        v = beta_2 * v + (1 - beta_2) * (gradient**2 if square else gradient)
        up, down = (m / (1 - beta_1**t), v / (1 - beta_2**t)) if mend else (m, v)
        w = w - rate * up / ((np.sqrt(down) if root else down) + 1e-7)
        places.append(w)
    return places


@wrong("6.4", "no_correction")
def not_mended(gradients, rate, beta_1, beta_2):
    return adam(gradients, rate, beta_1, beta_2, mend=False)


@wrong("6.4", "t_is_one_ahead")
def counts_from_two(gradients, rate, beta_1, beta_2):
    return adam(gradients, rate, beta_1, beta_2, first=2)


@wrong("6.4", "betas_exchanged")
def betas_swapped(gradients, rate, beta_1, beta_2):
    return adam(gradients, rate, beta_2, beta_1)


@wrong("6.4", "no_root")
def without_root(gradients, rate, beta_1, beta_2):
    return adam(gradients, rate, beta_1, beta_2, root=False)


@wrong("6.4", "usual_betas")
def fixed_betas(gradients, rate, beta_1, beta_2):
    return adam(gradients, rate, 0.9, 0.999)


@wrong("6.4", "t_starts_at_0")
def from_zero(gradients, rate, beta_1, beta_2):
    w = m = v = 0.0
    places = []
    for t in range(len(gradients)):
        m = beta_1 * m + (1 - beta_1) * gradients[t]
        v = beta_2 * v + (1 - beta_2) * gradients[t] ** 2
        w = w - rate * (m / (1 - beta_1**t)) / (tf.sqrt(v / (1 - beta_2**t)) + 1e-7)
        places.append(w)
    return places


@wrong("6.4", "plain_descent")
def sgd(gradients, rate, beta_1, beta_2):
    return -rate * tf.cumsum(gradients)


@right("6.4")
def as_in_the_paper(gradients, rate, beta_1, beta_2):
    return adam(gradients, rate, beta_1, beta_2)


@right("6.4")
def let_keras(gradients, rate, beta_1, beta_2):
    w = keras.Variable(np.zeros(gradients.shape[1], np.float32))
    optimizer = keras.optimizers.Adam(rate, beta_1, beta_2)
    optimizer.build([w])
    places = []
    for gradient in gradients:
        optimizer.apply([gradient], [w])
        places.append(w.numpy().copy())
    return places


@right("6.4")
def in_tensors(gradients, rate, beta_1, beta_2):
    w = m = v = tf.zeros_like(gradients[0])
    rows = []
    for t, g in enumerate(gradients, 1):
        m += (g - m) * (1 - beta_1)
        v += (tf.square(g) - v) * (1 - beta_2)
        step = rate * tf.sqrt(1 - beta_2**t) / (1 - beta_1**t)
        w -= step * m / (tf.sqrt(v) + 1e-7)
        rows.append(w)
    return tf.stack(rows)


class Day(keras.Model):
    def __init__(self):
        super().__init__()
        start = keras.initializers.Constant
        self.mean = self.add_weight(shape=(), initializer=start(10.0), name="mean")
        self.swing = tf.Variable(3.0)
        self.peak = self.add_weight(shape=(), initializer=start(1.0), trainable=False, name="peak")

    def call(self, x):
        return self.mean + self.swing * tf.cos(x - self.peak)


def still(model, names, x, y):
    before = {name: float(getattr(model, name)) for name in names}
    model.fit(x, y, verbose=0)
    return [name for name in names if float(getattr(model, name)) == before[name]]


def mended_day():
    model = Day()
    model.swing = keras.Variable(3.0, name="swing")
    model.peak = keras.Variable(1.0, name="peak")
    return model


def moving(model, names, x, y):
    return [name for name in names if name not in still(model, names, x, y)]


def never_fitted(model, names, x, y):
    before = {name: float(getattr(model, name)) for name in names}
    return [name for name in names if float(getattr(model, name)) == before[name]]


def kept_the_variables(model, names, x, y):
    before = {name: getattr(model, name) for name in names}
    model.fit(x, y, verbose=0)
    return [name for name in names if float(getattr(model, name)) == float(before[name])]


@wrong_answers("6.5", "those_that_moved", points=2)
def the_moving_ones():
    return moving, mended_day


@wrong_answers("6.5", "never_trained", points=2)
def without_training():
    return never_fitted, mended_day


@wrong_answers("6.5", "compared_with_themselves", points=2)
def variables_kept():
    return kept_the_variables, mended_day


@wrong_answers("6.5", "nothing_mended", points=2)
def same_day():
    return still, Day


@wrong_answers("6.5", "still_plain", points=3)
def only_the_peak():
    def mended():
        model = Day()
        model.peak = keras.Variable(1.0)
        return model

    return still, mended


@wrong_answers("6.5", "class_returned", points=2)
def the_class():
    return still, lambda: Day


@wrong_answers("6.5", "other_start", points=2)
def zeros():
    def mended():
        model = Day()
        model.swing = model.add_weight(shape=(), initializer="zeros", name="swing")
        model.peak = keras.Variable(1.0)
        return model

    return still, mended


@right_answers("6.5")
def measured_and_mended():
    return still, mended_day


@right_answers("6.5")
def a_class_of_its_own():
    class Better(keras.Model):
        def __init__(self):
            super().__init__()
            self.mean = keras.Variable(10.0)
            self.swing = keras.Variable(3.0)
            self.peak = keras.Variable(1.0)

        def call(self, x):
            return self.mean + self.swing * tf.cos(x - self.peak)

    return still, Better


@right_answers("6.5")
def by_one_batch():
    def unmoved(model, names, x, y):
        start = [getattr(model, name).numpy() for name in names]
        model.train_on_batch(x, y)
        end = [getattr(model, name).numpy() for name in names]
        return {name for name, a, b in zip(names, start, end) if a == b}

    return unmoved, mended_day


def batches(step, images, labels, batch_size):
    losses, sizes = [], []
    for i in range(0, len(images), batch_size):
        losses.append(float(step(images[i : i + batch_size], labels[i : i + batch_size])))
        sizes.append(len(images[i : i + batch_size]))
    return losses, sizes


@wrong("6.6", "unweighted")
def plain_mean(step, images, labels, batch_size):
    return np.mean(batches(step, images, labels, batch_size)[0])


@wrong("6.6", "last_batch")
def the_last(step, images, labels, batch_size):
    return batches(step, images, labels, batch_size)[0][-1]


@wrong("6.6", "summed")
def total(step, images, labels, batch_size):
    return sum(batches(step, images, labels, batch_size)[0])


@wrong("6.6", "list_returned")
def all_of_them(step, images, labels, batch_size):
    return batches(step, images, labels, batch_size)[0]


@wrong("6.6", "last_batch_dropped")
def whole_batches_only(step, images, labels, batch_size):
    losses = []
    for i in range(len(images) // batch_size):
        batch = slice(i * batch_size, (i + 1) * batch_size)
        losses.append(float(step(images[batch], labels[batch])))
    return np.mean(losses)


@wrong("6.6", "no_batches")
def all_at_once(step, images, labels, batch_size):
    return step(images, labels)


@right("6.6")
def weighted(step, images, labels, batch_size):
    losses, sizes = batches(step, images, labels, batch_size)
    return np.average(losses, weights=sizes)


@right("6.6")
def by_a_dataset(step, images, labels, batch_size):
    total = 0.0
    for x, y in tf.data.Dataset.from_tensor_slices((images, labels)).batch(batch_size):
        total += step(x, y) * len(x)
    return total / len(images)


@right("6.6")
def by_a_metric(step, images, labels, batch_size):
    mean = keras.metrics.Mean()
    for i in range(0, len(images), batch_size):
        x, y = images[i : i + batch_size], labels[i : i + batch_size]
        mean.update_state(step(x, y), sample_weight=len(x))
    return mean.result()


def stopping(model, train_epoch, validate, patience, most_epochs, late=0, better=np.less):
    losses, best, kept, waited = [], float("inf"), None, 0
    for _ in range(most_epochs):
        train_epoch()
        losses.append(validate())
        waited += 1
        if better(losses[-1], best):
            best, kept, waited = losses[-1], model.get_weights(), 0
        if waited >= patience + late:
            break
    return losses, kept


@wrong("6.7", "not_restored", points=2)
def last_weights(model, train_epoch, validate, patience, most_epochs):
    return stopping(model, train_epoch, validate, patience, most_epochs)[0]


@wrong("6.7", "one_epoch_too_late")
def waits_longer(model, train_epoch, validate, patience, most_epochs):
    losses, kept = stopping(model, train_epoch, validate, patience, most_epochs, late=1)
    model.set_weights(kept)
    return losses


@wrong("6.7", "one_epoch_too_early")
def impatient(model, train_epoch, validate, patience, most_epochs):
    losses, kept = stopping(model, train_epoch, validate, patience - 1, most_epochs)
    model.set_weights(kept)
    return losses


@wrong("6.7", "compared_with_the_last")
def against_the_last(model, train_epoch, validate, patience, most_epochs):
    losses, waited, kept, best = [], 0, None, float("inf")
    for _ in range(most_epochs):
        train_epoch()
        losses.append(validate())
        if losses[-1] < best:
            best, kept = losses[-1], model.get_weights()
        waited = 0 if len(losses) < 2 or losses[-1] < losses[-2] else waited + 1
        if waited == patience:
            break
    model.set_weights(kept)
    return losses


@wrong("6.7", "never_stops")
def all_epochs(model, train_epoch, validate, patience, most_epochs):
    losses, kept = stopping(model, train_epoch, validate, most_epochs + 1, most_epochs)
    model.set_weights(kept)
    return losses


@wrong("6.7", "a_tie_is_no_gain")
def equal_is_new(model, train_epoch, validate, patience, most_epochs):
    losses, kept = stopping(
        model, train_epoch, validate, patience, most_epochs, better=np.less_equal
    )
    model.set_weights(kept)
    return losses


@wrong("6.7", "no_list_returned", points=3)
def returns_nothing(model, train_epoch, validate, patience, most_epochs):
    model.set_weights(stopping(model, train_epoch, validate, patience, most_epochs)[1])


@right("6.7")
def counted(model, train_epoch, validate, patience, most_epochs):
    losses, kept = stopping(model, train_epoch, validate, patience, most_epochs)
    model.set_weights(kept)
    return losses


@right("6.7")
def by_the_list(model, train_epoch, validate, patience, most_epochs):
    losses, weights = [], []
    while len(losses) < most_epochs:
        train_epoch()
        losses.append(validate())
        weights.append(model.get_weights())
        if len(losses) - 1 - int(np.argmin(losses)) == patience:
            break
    model.set_weights(weights[int(np.argmin(losses))])
    return np.array(losses)


@right("6.7")
def with_copies_of_variables(model, train_epoch, validate, patience, most_epochs):
    history, best_epoch, kept = {}, 0, []
    for epoch in range(1, most_epochs + 1):
        train_epoch()
        history[epoch] = validate()
        if epoch == 1 or history[epoch] < history[best_epoch]:
            best_epoch, kept = epoch, [tf.identity(v) for v in model.variables]
        elif epoch - best_epoch >= patience:
            break
    for variable, value in zip(model.variables, kept):
        variable.assign(value)
    return list(history.values())


# More wrong answers, made of parts


def line_slopes(x, y, w, b, reduce=tf.reduce_mean):
    with tf.GradientTape() as tape:
        loss = reduce((w * x + b - y) ** 2)
    return tape.gradient(loss, [w, b])


def loss_and_gradients(model, images, labels, training=True):
    with tf.GradientTape() as tape:
        loss = loss_function(labels, model(images, training=training))
    return loss, tape.gradient(loss, model.trainable_variables)


def descend(variables, gradients, rate):
    for variable, gradient in zip(variables, gradients):
        variable.assign_sub(rate * gradient)


def slope_of(loss, w):
    with tf.GradientTape() as tape:
        value = loss(w)
    return tape.gradient(value, w)


def adam_with(gradients, rate, b1, b2, *, first=1, mend=True, inside=0.0, outside=1e-7, sign=-1):
    w = m = v = tf.zeros_like(gradients[0])
    path = []
    for t, g in enumerate(gradients, start=first):
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * g**2
        m_hat = m / (1 - b1**t) if mend else m
        v_hat = v / (1 - b2**t) if mend else v
        w = w + sign * rate * m_hat / (tf.sqrt(v_hat + inside) + outside)
        path.append(w)
    return path


def batch_losses(step, images, labels, size, stop=None):
    starts = range(0, stop or len(labels), size)
    return [float(step(images[i : i + size], labels[i : i + size])) for i in starts]


def early(model, train_epoch, validate, patience, most_epochs, late=0, keep="values", watch="val"):
    best, waited, kept, seen = float("inf"), 0, None, []
    for _ in range(most_epochs):
        trained = train_epoch()
        seen.append(validate())
        loss = seen[-1] if watch == "val" else trained
        if loss < best:
            best, waited = loss, 0
            kept = model.get_weights() if keep == "values" else model.weights
        else:
            waited += 1
            if waited >= patience + late:
                break
    for variable, value in zip(model.weights, kept):
        variable.assign(value)
    return seen


@wrong("6.1", "rate_twice")
def rate_in_both(x, y, w, b, rate):
    dw, db = line_slopes(x, y, w, b)
    dw, db = rate * dw, rate * db
    return w - rate * dw, b - rate * db


@wrong("6.1", "returns_nothing")
def moved_and_silent(x, y, w, b, rate):
    dw, db = line_slopes(x, y, w, b)
    w.assign_sub(rate * dw)
    b.assign_sub(rate * db)


@wrong("6.2", "only_kernels", 1)
def kernels_alone(model, images, labels, rate):
    loss, gradients = loss_and_gradients(model, images, labels)
    descend(model.trainable_variables[::2], gradients[::2], rate)
    return loss


@wrong("6.2", "only_last_layer", 1)
def last_layer_alone(model, images, labels, rate):
    loss, gradients = loss_and_gradients(model, images, labels)
    descend(model.trainable_variables[-2:], gradients[-2:], rate)
    return loss


@wrong("6.2", "loss_summed")
def losses_summed(model, images, labels, rate):
    with tf.GradientTape() as tape:
        logits = model(images, training=True)
        loss = tf.reduce_sum(keras.losses.sparse_categorical_crossentropy(labels, logits, True))
    descend(model.trainable_variables, tape.gradient(loss, model.trainable_variables), rate)
    return loss


@wrong("6.3", "rate_twice")
def rate_inside_and_outside(loss, w, rate, momentum, steps):
    velocity, path = tf.zeros_like(w), []
    for _ in range(steps):
        velocity = momentum * velocity + rate * slope_of(loss, w)
        w.assign_sub(rate * velocity)
        path.append(w.numpy())
    return path


@wrong("6.4", "epsilon_in_the_root")
def epsilon_inside(gradients, rate, beta_1, beta_2):
    return adam_with(gradients, rate, beta_1, beta_2, inside=1e-7, outside=0.0)


@wrong("6.4", "no_epsilon")
def without_epsilon(gradients, rate, beta_1, beta_2):
    return adam_with(gradients, rate, beta_1, beta_2, outside=0.0)


@wrong("6.4", "uphill")
def uphill(gradients, rate, beta_1, beta_2):
    return adam_with(gradients, rate, beta_1, beta_2, sign=1)


@wrong_answers("6.5", "only_counted", 2)
def not_among_the_trainable():
    def find(model, names, x, y):
        counted = [id(variable) for variable in model.trainable_variables]
        return [name for name in names if id(getattr(model, name)) not in counted]

    return find, mended_day


@wrong_answers("6.5", "still_frozen", 3)
def only_swing_mended():
    def mend():
        day = Day()
        day.swing = keras.Variable(3.0)
        return day

    return still, mend


@wrong_answers("6.5", "counted_and_still", 3)
def with_a_flag():
    def mend():
        day = mended_day()
        day.peak = Day().peak
        day.peak.trainable = True
        return day

    return still, mend


@wrong("6.6", "trained_again")
def evaluated_at_the_end(step, images, labels, batch_size):
    batch_losses(step, images, labels, batch_size)
    return step(images, labels)


@wrong("6.6", "last_batch_taken_for_full")
def every_batch_full(step, images, labels, batch_size):
    losses = batch_losses(step, images, labels, batch_size)
    return sum(loss * batch_size for loss in losses) / len(labels)


@wrong("6.7", "training_loss")
def watches_training(model, train_epoch, validate, patience, most_epochs):
    return early(model, train_epoch, validate, patience, most_epochs, watch="train")


@wrong("6.7", "counter_never_reset")
def counts_all(model, train_epoch, validate, patience, most_epochs):
    best, waited, kept, seen = float("inf"), 0, None, []
    for _ in range(most_epochs):
        train_epoch()
        seen.append(validate())
        if seen[-1] < best:
            best, kept = seen[-1], model.get_weights()
        else:
            waited += 1
        if waited == patience:
            break
    model.set_weights(kept)
    return seen


@wrong("6.1", "other_inputs")
def rate_of_the_lesson(x, y, w, b, rate):
    dw, db = slopes(x, y, w, b)
    return w - 0.125 * dw, b - 0.125 * db


@wrong("6.1", "slip")
def bias_subtracted(x, y, w, b, rate):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((w * x - b - y) ** 2)
    dw, db = tape.gradient(loss, [w, b])
    return w - rate * dw, b - rate * db


@wrong("6.1", "multiplied")
def by_a_share(x, y, w, b, rate):
    dw, db = slopes(x, y, w, b)
    return w * (1 - rate * dw), b * (1 - rate * db)


def step_down(model, images, labels, rate, loss_of=loss_function, change=lambda gradient: gradient):
    with tf.GradientTape() as tape:
        logits = model(images, training=True)
        loss = loss_of(labels, logits)
    gradients = tape.gradient(loss, model.trainable_variables)
    for variable, gradient in zip(model.trainable_variables, gradients):
        variable.assign_sub(rate * change(gradient))
    return loss, logits


@wrong("6.2", "run_more_than_once", points=3)
def run_twice(model, images, labels, rate):
    before = loss_function(labels, model(images, training=True))
    step_down(model, images, labels, rate)
    return before


@wrong("6.2", "adam", points=1)
def adams_step(model, images, labels, rate):
    loss, gradients = gradients_of(model, images, labels)
    keras.optimizers.Adam(rate).apply(gradients, model.trainable_variables)
    return loss


@wrong("6.2", "other_length", points=1)
def a_third_of_the_step(model, images, labels, rate):
    return step_down(model, images, labels, rate / 3)[0]


@wrong("6.2", "clipped", points=1)
def clipped_gradients(model, images, labels, rate):
    def change(gradient):
        return tf.clip_by_norm(gradient, 0.1)

    return step_down(model, images, labels, rate, change=change)[0]


@wrong("6.2", "weight_decay", points=1)
def weights_that_shrink(model, images, labels, rate):
    for variable in model.trainable_variables:
        variable.assign(variable)
    before = [tf.identity(each) for each in model.trainable_variables]
    loss, _ = step_down(model, images, labels, rate)
    for variable, old in zip(model.trainable_variables, before):
        variable.assign_sub(0.05 * old)
    return loss


@wrong("6.2", "softmax_added")
def softmax_on_the_logits(model, images, labels, rate):
    def loss(truth, logits):
        return loss_function(truth, tf.nn.softmax(logits))

    return step_down(model, images, labels, rate, loss)[0]


@wrong("6.2", "squared_error")
def squared_error(model, images, labels, rate):
    def loss(truth, logits):
        return tf.reduce_mean((logits - tf.one_hot(truth, 3)) ** 2)

    return step_down(model, images, labels, rate, loss)[0]


@wrong("6.2", "one_image_only")
def the_last_image(model, images, labels, rate):
    return step_down(model, images[-1:], labels[-1:], rate)[0]


@wrong("6.2", "accuracy_returned", points=3)
def share_of_right_answers(model, images, labels, rate):
    _, logits = step_down(model, images, labels, rate)
    return tf.reduce_mean(tf.cast(tf.argmax(logits, axis=1) == labels, tf.float32))


def rolled_from(loss, w, rate, steps, velocity, bend):
    places = []
    for _ in range(steps):
        with tf.GradientTape() as tape:
            y = loss(w)
        velocity = bend(velocity, tape.gradient(y, w))
        w.assign_add(velocity)
        places.append(w.numpy())
    return places


@wrong("6.3", "momentum_on_the_slope_alone")
def momentum_for_the_slope(loss, w, rate, momentum, steps):
    return rolled_from(loss, w, rate, steps, 0.0, lambda v, slope: v - rate * momentum * slope)


@wrong("6.3", "velocity_begins_with_a_push")
def pushed_at_the_start(loss, w, rate, momentum, steps):
    with tf.GradientTape() as tape:
        y = loss(w)
    first = -rate * tape.gradient(y, w)
    return rolled_from(loss, w, rate, steps, first, lambda v, slope: momentum * v - rate * slope)


@wrong("6.3", "slip")
def momentum_written_out(loss, w, rate, momentum, steps):
    return rolled_from(loss, w, rate, steps, 0.0, lambda v, slope: 0.9 * v - rate * slope)


def adam_of(gradients, rate, beta_1, beta_2, epsilon=1e-7, of_m=lambda g: g):
    w = m = v = tf.zeros_like(gradients[0])
    places = []
    for t, gradient in enumerate(gradients, start=1):
        m = beta_1 * m + (1 - beta_1) * of_m(gradient)
        v = beta_2 * v + (1 - beta_2) * gradient**2
        w -= rate * m / (1 - beta_1**t) / (tf.sqrt(v / (1 - beta_2**t)) + epsilon)
        places.append(w)
    return places


@wrong("6.4", "other_epsilon", points=2)
def a_large_epsilon(gradients, rate, beta_1, beta_2):
    return adam_of(gradients, rate, beta_1, beta_2, 1e-3)


@wrong("6.4", "slip")
def sizes_only(gradients, rate, beta_1, beta_2):
    return adam_of(gradients, rate, beta_1, beta_2, of_m=tf.abs)


@wrong_answers("6.5", "small_moves_overlooked", points=3)
def rounded_values():
    def find(model, names, x, y):
        before = {name: round(float(getattr(model, name)), 1) for name in names}
        model.fit(x, y, verbose=0)
        return [name for name in names if round(float(getattr(model, name)), 1) == before[name]]

    return find, mended_day


@wrong_answers("6.5", "constant", points=2)
def names_of_this_day():
    return lambda model, names, x, y: ["swing", "peak"], mended_day


@wrong_answers("6.5", "one_of_them", points=2)
def the_first_alone():
    return lambda *inputs: still(*inputs)[:1], mended_day


@wrong_answers("6.5", "their_values", points=2)
def numbers_for_names():
    def find(model, names, x, y):
        return [float(getattr(model, name)) for name in still(model, names, x, y)]

    return find, mended_day


def epoch_with(step, images, labels, batch_size, rows):
    losses, sizes = [], []
    for part in rows:
        losses.append(float(step(images[part], labels[part])))
        sizes.append(len(images[part]))
    return losses, sizes


def parts(images, batch_size):
    return [slice(i, i + batch_size) for i in range(0, len(images), batch_size)]


@wrong("6.6", "last_batch_filled_up")
def filled_from_the_front(step, images, labels, batch_size):
    starts = range(0, len(images), batch_size)
    rows = [np.arange(start, start + batch_size) % len(images) for start in starts]
    losses, sizes = epoch_with(step, images, labels, batch_size, rows)
    return np.average(losses, weights=sizes)


@wrong("6.6", "largest")
def worst_batch(step, images, labels, batch_size):
    return max(epoch_with(step, images, labels, batch_size, parts(images, batch_size))[0])


@wrong("6.6", "weights_in_the_wrong_order")
def sizes_reversed(step, images, labels, batch_size):
    losses, sizes = epoch_with(step, images, labels, batch_size, parts(images, batch_size))
    return np.average(losses, weights=sizes[::-1])


def stopping_when(model, train_epoch, validate, patience, most, *, best=float("inf"), back=False):
    losses, kept, waited = [], model.get_weights(), 0
    for _ in range(most):
        train_epoch()
        losses.append(validate())
        waited += 1
        if losses[-1] < best:
            best, kept, waited = losses[-1], model.get_weights(), 0
        elif back:
            model.set_weights(kept)
        if waited == patience:
            break
    model.set_weights(kept)
    return losses


@wrong("6.7", "nothing_is_better")
def best_begins_at_one(model, train_epoch, validate, patience, most_epochs):
    return stopping_when(model, train_epoch, validate, patience, most_epochs, best=1.0)


@wrong("6.7", "put_back_on_the_way")
def back_after_each_bad_epoch(model, train_epoch, validate, patience, most_epochs):
    return stopping_when(model, train_epoch, validate, patience, most_epochs, back=True)


@wrong("6.7", "one_epoch_less_than_most")
def one_epoch_less(model, train_epoch, validate, patience, most_epochs):
    return stopping_when(model, train_epoch, validate, patience, most_epochs - 1)


@wrong("6.7", "validated_before_training")
def validates_first(model, train_epoch, validate, patience, most_epochs):
    losses, best, kept, waited = [], float("inf"), None, 0
    for _ in range(most_epochs):
        losses.append(validate())
        train_epoch()
        waited += 1
        if losses[-1] < best:
            best, kept, waited = losses[-1], model.get_weights(), 0
        if waited == patience:
            break
    model.set_weights(kept)
    return losses


@wrong("6.7", "small_gains_ignored")
def a_hundredth_at_least(model, train_epoch, validate, patience, most_epochs):
    best, waited, losses, kept = float("inf"), 0, [], model.get_weights()
    while len(losses) < most_epochs and waited < patience:
        train_epoch()
        losses.append(validate())
        waited += 1
        if losses[-1] < best - 0.01:
            best, waited, kept = losses[-1], 0, model.get_weights()
    model.set_weights(kept)
    return losses
