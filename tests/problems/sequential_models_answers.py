"""Answers to the problems of lesson 4."""

import copy
import math

import keras
import numpy as np
import tensorflow as tf
from collected import right, wrong


@wrong("4.1", "no_biases")
def weights_only(widths):
    return sum(a * b for a, b in zip(widths, widths[1:]))


@wrong("4.1", "bias_per_input")
def a_bias_for_each_input(widths):
    return sum((b + 1) * a for a, b in zip(widths, widths[1:]))


@wrong("4.1", "bias_per_layer")
def one_bias(widths):
    return sum(a * b + 1 for a, b in zip(widths, widths[1:]))


@wrong("4.1", "product_of_all")
def product(widths):
    return math.prod(widths)


@wrong("4.1", "widths_added")
def neurons(widths):
    return sum(widths)


@wrong("4.1", "last_layer_missing")
def one_layer_short(widths):
    total = 0
    for i in range(len(widths) - 2):
        total += widths[i] * widths[i + 1] + widths[i + 1]
    return total


@wrong("4.1", "last_layer_only")
def total_in_the_loop(widths):
    for a, b in zip(widths, widths[1:]):
        total = 0
        total += (a + 1) * b
    return total


@wrong("4.1", "constant")
def the_lessons_number(widths):
    return 101_770


@wrong("4.1", "index_beyond_the_end")
def one_too_far(widths):
    return sum((widths[i] + 1) * widths[i + 1] for i in range(len(widths)))


@right("4.1")
def in_a_loop(widths):
    total = 0
    for i in range(1, len(widths)):
        total += widths[i - 1] * widths[i] + widths[i]
    return total


@right("4.1")
def with_numpy(widths):
    widths = np.array(widths)
    return ((widths[:-1] + 1) * widths[1:]).sum()


@right("4.1")
def let_keras_count(widths):
    layers = [keras.layers.Dense(width) for width in widths[1:]]
    return keras.Sequential([keras.Input((widths[0],)), *layers]).count_params()


def stack(inputs, widths, hidden="relu", last=None):
    layers = [keras.layers.Dense(width, activation=hidden) for width in widths[:-1]]
    last = keras.layers.Dense(widths[-1], activation=last)
    return keras.Sequential([keras.Input((inputs,)), *layers, last])


@wrong("4.2", "not_built")
def without_input(inputs, widths):
    layers = [keras.layers.Dense(width, activation="relu") for width in widths[:-1]]
    return keras.Sequential([*layers, keras.layers.Dense(widths[-1])])


@wrong("4.2", "activation_on_the_last")
def relu_everywhere(inputs, widths):
    return stack(inputs, widths, last="relu")


@wrong("4.2", "softmax_on_the_last")
def softmax_at_the_end(inputs, widths):
    return stack(inputs, widths, last="softmax")


@wrong("4.2", "no_activation")
def no_relu(inputs, widths):
    return stack(inputs, widths, hidden=None)


@wrong("4.2", "other_activation")
def sigmoids(inputs, widths):
    return stack(inputs, widths, hidden="sigmoid")


@wrong("4.2", "input_as_a_layer")
def a_layer_for_the_input(inputs, widths):
    return stack(inputs, [inputs, *widths])


@wrong("4.2", "last_layer_missing")
def without_the_last(inputs, widths):
    model = keras.Sequential([keras.Input((inputs,))])
    for width in widths[:-1]:
        model.add(keras.layers.Dense(width, activation="relu"))
    return model


@wrong("4.2", "list_of_layers")
def only_layers(inputs, widths):
    return [keras.Input((inputs,)), *(keras.layers.Dense(width) for width in widths)]


@wrong("4.2", "no_biases")
def without_biases(inputs, widths):
    layers = [keras.layers.Dense(width, use_bias=False) for width in widths]
    return keras.Sequential([keras.Input((inputs,)), *layers])


@wrong("4.2", "returns_nothing")
def built_and_forgotten(inputs, widths):
    stack(inputs, widths)


@wrong("4.2", "reversed")
def backwards(inputs, widths):
    return stack(inputs, widths[::-1])


@right("4.2")
def in_one_list(inputs, widths):
    return stack(inputs, widths)


@right("4.2")
def added_one_by_one(inputs, widths):
    model = keras.Sequential()
    model.add(keras.layers.Input(shape=(inputs,)))
    for number, width in enumerate(widths, start=1):
        model.add(keras.layers.Dense(width))
        if number < len(widths):
            model.add(keras.layers.ReLU())
    return model


@right("4.2")
def functional(inputs, widths):
    x = y = keras.Input((inputs,))
    for width in widths[:-1]:
        y = keras.layers.Dense(width, activation=tf.nn.relu)(y)
    return keras.Model(x, keras.layers.Dense(widths[-1], activation="linear")(y))


@right("4.2")
def built_by_hand(inputs, widths):
    layers = [keras.layers.Dense(width, "relu") for width in widths[:-1]]
    model = keras.Sequential([*layers, keras.layers.Dense(widths[-1])])
    model.build((None, inputs))
    return model


@wrong("4.3", "no_activation")
def without_relu(x, kernel, bias):
    return x @ kernel + bias


@wrong("4.3", "bias_after_activation")
def bias_last(x, kernel, bias):
    return tf.nn.relu(x @ kernel) + bias


@wrong("4.3", "no_bias")
def bias_forgotten(x, kernel, bias):
    return tf.nn.relu(tf.matmul(x, kernel))


@wrong("4.3", "other_activation")
def sigmoid_instead(x, kernel, bias):
    return tf.sigmoid(x @ kernel + bias)


@wrong("4.3", "relu_on_the_input")
def relu_first(x, kernel, bias):
    return tf.nn.relu(x) @ kernel + bias


@wrong("4.3", "sides_swapped")
def kernel_first(x, kernel, bias):
    return tf.nn.relu(kernel @ x + bias)


@wrong("4.3", "elementwise")
def star(x, kernel, bias):
    return tf.nn.relu(x * kernel + bias)


@wrong("4.3", "none_numpy", points=1.5)
def through_numpy(x, kernel, bias):
    return tf.constant(np.maximum(x.numpy() @ kernel.numpy() + bias.numpy(), 0))


@right("4.3")
def one_line(x, kernel, bias):
    return tf.nn.relu(x @ kernel + bias)


@right("4.3")
def with_maximum(x, kernel, bias):
    return tf.maximum(0.0, tf.linalg.matmul(x, kernel) + bias)


@right("4.3")
def with_einsum(x, kernel, bias):
    return keras.ops.relu(tf.einsum("ni,io->no", x, kernel) + bias[tf.newaxis, :])


@wrong("4.4", "inactive_for_one")
def any_example(x, kernel, bias):
    return np.flatnonzero(np.any(x @ kernel + bias <= 0, axis=0))


@wrong("4.4", "first_example_only")
def first_row(x, kernel, bias):
    return np.flatnonzero((x @ kernel + bias).numpy()[0] <= 0)


@wrong("4.4", "the_living")
def the_others(x, kernel, bias):
    return np.flatnonzero(np.any(x @ kernel + bias > 0, axis=0))


@wrong("4.4", "negative_bias")
def low_bias(x, kernel, bias):
    return np.flatnonzero(bias < 0)


@wrong("4.4", "negative_weights")
def low_weights(x, kernel, bias):
    return [i for i in range(kernel.shape[1]) if tf.reduce_all(kernel[:, i] <= 0)]


@wrong("4.4", "bias_ignored")
def product_alone(x, kernel, bias):
    return np.flatnonzero(np.all(tf.nn.relu(x @ kernel) == 0, axis=0))


@wrong("4.4", "a_mask", points=2)
def mask(x, kernel, bias):
    return tf.reduce_all(x @ kernel + bias <= 0, axis=0)


@wrong("4.4", "a_column", points=2)
def where(x, kernel, bias):
    return tf.where(tf.reduce_max(x @ kernel + bias, axis=0) <= 0)


@wrong("4.4", "a_count")
def how_many(x, kernel, bias):
    return tf.reduce_sum(tf.cast(tf.reduce_all(x @ kernel + bias <= 0, axis=0), tf.int32))


@wrong("4.4", "none_found")
def other_axis(x, kernel, bias):
    return np.flatnonzero(np.all(x @ kernel + bias <= 0, axis=1))


@right("4.4")
def all_rows(x, kernel, bias):
    return np.flatnonzero(np.all(x @ kernel + bias <= 0, axis=0))


@right("4.4")
def largest_output(x, kernel, bias):
    outputs = tf.nn.relu(x @ kernel + bias)
    return tf.where(tf.reduce_max(outputs, axis=0) == 0.0)[:, 0]


@right("4.4")
def one_by_one(x, kernel, bias):
    found = []
    for i in range(kernel.shape[1]):
        if not any(float(tf.tensordot(row, kernel[:, i], 1) + bias[i]) > 0 for row in x):
            found.append(i)
    return found


@right("4.4")
def ask_keras(x, kernel, bias):
    layer = keras.layers.Dense(kernel.shape[1], activation="relu")
    layer.build(x.shape)
    layer.set_weights([kernel, bias])
    return tuple(i for i, total in enumerate(layer(x).numpy().sum(axis=0)) if total == 0)


@wrong("4.5", "changed_the_original")
def pop_and_add(model, units):
    model.pop()
    model.add(keras.layers.Dense(units))
    return model


@wrong("4.5", "old_head_kept")
def on_top(model, units):
    return keras.Sequential(
        [keras.Input(model.input_shape[1:]), *model.layers, keras.layers.Dense(units)]
    )


@wrong("4.5", "weights_lost")
def cloned(model, units):
    other = keras.models.clone_model(model)
    other.pop()
    other.add(keras.layers.Dense(units))
    return other


@wrong("4.5", "activation_on_the_head", points=2)
def softmax_head(model, units):
    return keras.Sequential(
        [
            keras.Input(model.input_shape[1:]),
            *model.layers[:-1],
            keras.layers.Dense(units, activation="softmax"),
        ]
    )


@wrong("4.5", "too_few_layers")
def head_alone(model, units):
    return keras.Sequential([keras.Input(model.input_shape[1:]), keras.layers.Dense(units)])


@wrong("4.5", "other_width")
def nothing_added(model, units):
    return keras.Sequential([keras.Input(model.input_shape[1:]), *model.layers[:-1]])


@wrong("4.5", "returns_nothing")
def not_returned(model, units):
    new = keras.Sequential([*model.layers[:-1], keras.layers.Dense(units)])


@right("4.5")
def layers_reused(model, units):
    return keras.Sequential(
        [keras.Input(model.input_shape[1:]), *model.layers[:-1], keras.layers.Dense(units)]
    )


@right("4.5")
def through_the_functional_api(model, units):
    x = model.inputs[0]
    y = x
    for layer in model.layers[:-1]:
        y = layer(y)
    return keras.Model(x, keras.layers.Dense(units)(y))


@right("4.5")
def copied(model, units):
    other = keras.models.clone_model(model)
    other.set_weights(model.get_weights())
    other.pop()
    other.add(keras.layers.Dense(units))
    return other


@wrong("4.6", "same_object")
def another_name(model):
    other = model
    return other


@wrong("4.6", "own_weights")
def only_cloned(model):
    return keras.models.clone_model(model)


@wrong("4.6", "shared_layers")
def same_layers(model):
    return keras.Sequential([keras.Input(model.input_shape[1:]), *model.layers])


@wrong("4.6", "changed_the_original")
def the_wrong_way_round(model):
    other = keras.models.clone_model(model)
    model.set_weights(other.get_weights())
    return other


@wrong("4.6", "other_weights")
def kernels_only(model):
    other = keras.models.clone_model(model)
    for mine, theirs in zip(other.layers, model.layers):
        mine.kernel.assign(theirs.kernel)
    return other


@wrong("4.6", "other_layers")
def always_the_same(model):
    return stack(model.input_shape[1], [4, 4, 2])


@wrong("4.6", "other_activations")
def without_its_activations(model):
    widths = [layer.units for layer in model.layers]
    other = stack(model.input_shape[1], widths, hidden="tanh")
    other.set_weights(model.get_weights())
    return other


@right("4.6")
def cloned_and_filled(model):
    other = keras.models.clone_model(model)
    other.set_weights(model.get_weights())
    return other


@right("4.6")
def from_its_config(model):
    other = keras.Sequential.from_config(model.get_config())
    for mine, theirs in zip(other.weights, model.weights):
        mine.assign(theirs)
    return other


@right("4.6")
def deeply_copied(model):
    return copy.deepcopy(model)


@wrong("4.6", "other_activations")
def rebuilt(model):
    widths = [layer.units for layer in model.layers]
    other = stack(model.input_shape[1], widths)
    other.set_weights(model.get_weights())
    return other


@wrong("4.1", "biases_twice")
def two_biases(widths):
    return sum(a * b + 2 * b for a, b in zip(widths, widths[1:]))


@wrong("4.2", "other_activation")
def gelus(inputs, widths):
    return stack(inputs, widths, hidden="gelu")


@wrong("4.2", "wrong_input")
def batch_in_the_shape(inputs, widths):
    layers = [keras.layers.Dense(width, activation="relu") for width in widths[:-1]]
    return keras.Sequential([keras.Input((None, inputs)), *layers, keras.layers.Dense(widths[-1])])


@wrong("4.3", "relu_twice")
def relu_in_between(x, kernel, bias):
    return tf.nn.relu(tf.nn.relu(x @ kernel) + bias)


@wrong("4.3", "averaged_over_examples")
def mean_of_rows(x, kernel, bias):
    return tf.reduce_mean(tf.nn.relu(x @ kernel + bias), axis=0)


@wrong("4.4", "last_example_only")
def last_row(x, kernel, bias):
    return np.flatnonzero((x @ kernel + bias)[-1] <= 0)


@wrong("4.4", "slip")
def exactly_zero(x, kernel, bias):
    return np.flatnonzero(np.all(x @ kernel + bias == 0, axis=0))


@wrong("4.1", "all_from_the_input")
def always_from_the_first(widths):
    return sum(widths[0] * b + b for b in widths[1:])


@wrong("4.1", "product_of_all")
def product_and_biases(widths):
    return math.prod(widths) + sum(widths[1:])


@wrong("4.1", "two_layers_only")
def as_in_the_example(widths):
    a, b, c = widths[0], widths[1], widths[-1]
    return a * b + b + b * c + c


@wrong("4.1", "last_layer_without_biases")
def no_bias_at_the_end(widths):
    return sum(a * b for a, b in zip(widths, widths[1:])) + sum(widths[1:-1])


@wrong("4.1", "every_pair_joined")
def all_pairs(widths):
    pairs = [a * b for i, a in enumerate(widths) for b in widths[i + 1 :]]
    return sum(pairs) + sum(widths[1:])


@wrong("4.1", "slip")
def sums_for_products(widths):
    return sum(a + b + b for a, b in zip(widths, widths[1:]))


@wrong("4.2", "other_activations")
def only_the_first_bends(inputs, widths):
    relus = [i == 0 and len(widths) > 1 for i in range(len(widths))]
    dense = keras.layers.Dense
    layers = [dense(w, "relu" if relu else None) for w, relu in zip(widths, relus)]
    return keras.Sequential([keras.Input((inputs,)), *layers])


@wrong("4.2", "other_activations")
def compares_the_widths(inputs, widths):
    dense = keras.layers.Dense
    layers = [dense(w, None if w == widths[-1] else "relu") for w in widths]
    return keras.Sequential([keras.Input((inputs,)), *layers])


@wrong("4.2", "activations_exchanged")
def relu_at_the_end_alone(inputs, widths):
    return stack(inputs, widths, hidden=None, last="relu")


def with_something_between(inputs, widths, make):
    layers = [keras.Input((inputs,))]
    for width in widths[:-1]:
        layers += [keras.layers.Dense(width, "relu"), make()]
    return keras.Sequential([*layers, keras.layers.Dense(widths[-1])])


@wrong("4.2", "more_than_dense_layers")
def dropouts(inputs, widths):
    return with_something_between(inputs, widths, lambda: keras.layers.Dropout(0.5))


@wrong("4.2", "more_than_dense_layers")
def normalisations(inputs, widths):
    return with_something_between(inputs, widths, keras.layers.BatchNormalization)


@wrong("4.2", "no_biases")
def some_without_bias(inputs, widths):
    dense = keras.layers.Dense
    layers = [dense(w, "relu", use_bias=False) for w in widths[:-1]]
    return keras.Sequential([keras.Input((inputs,)), *layers, dense(widths[-1])])


@right("4.2")
def built_by_one_call(inputs, widths):
    layers = [keras.layers.Dense(width, "relu") for width in widths[:-1]]
    model = keras.Sequential([*layers, keras.layers.Dense(widths[-1])])
    model(tf.zeros((1, inputs)))
    return model


@wrong("4.3", "own_weights")
def a_layer_of_its_own(x, kernel, bias):
    return keras.layers.Dense(bias.shape[0], "relu")(x)


@wrong("4.3", "kernel_transposed")
def as_in_pytorch(x, kernel, bias):
    return tf.nn.relu(x @ tf.transpose(kernel) + bias)


@wrong("4.3", "other_activation")
def no_upper_end_needed(x, kernel, bias):
    return tf.clip_by_value(x @ kernel + bias, 0.0, 1.0)


@wrong("4.3", "bias_twice")
def two_biases_added(x, kernel, bias):
    return tf.nn.relu(x @ kernel + 2 * bias)


@wrong("4.3", "bias_of_the_first_unit")
def one_bias_for_all(x, kernel, bias):
    return tf.nn.relu(x @ kernel + bias[0])


@wrong("4.3", "averaged")
def mean_of_the_layer(x, kernel, bias):
    return tf.reduce_mean(tf.nn.relu(x @ kernel + bias))


@wrong("4.4", "zero_taken_for_active", points=2)
def strictly_below_zero(x, kernel, bias):
    return np.flatnonzero(np.all(x @ kernel + bias < 0, axis=0))


@wrong("4.4", "in_a_tuple", points=2)
def what_where_returns(x, kernel, bias):
    return np.where(np.all(x @ kernel + bias <= 0, axis=0))


@wrong("4.5", "too_few_layers")
def first_layer_dropped(model, units):
    kept = model.layers[1:-1]
    width = kept[0].kernel.shape[0] if kept else model.input_shape[1]
    return keras.Sequential([keras.Input((width,)), *kept, keras.layers.Dense(units)])


@wrong("4.5", "head_without_bias", points=2)
def a_head_without_bias(model, units):
    head = keras.layers.Dense(units, use_bias=False)
    return keras.Sequential([keras.Input(model.input_shape[1:]), *model.layers[:-1], head])


@wrong("4.5", "activation_replaced", points=2)
def rebuilt_with_relu(model, units):
    dense = [keras.layers.Dense(layer.units, "relu") for layer in model.layers[:-1]]
    new = keras.Sequential([keras.Input(model.input_shape[1:]), *dense, keras.layers.Dense(units)])
    for mine, theirs in zip(dense, model.layers):
        mine.set_weights(theirs.get_weights())
    return new


@wrong("4.6", "shared_layers")
def last_layer_shared(model):
    other = keras.models.clone_model(model)
    other.set_weights(model.get_weights())
    return keras.Sequential(
        [keras.Input(model.input_shape[1:]), *other.layers[:-1], model.layers[-1]]
    )


@wrong("4.6", "other_weights")
def biases_left(model):
    other = keras.models.clone_model(model)
    for mine, theirs in zip(other.layers, model.layers):
        mine.kernel.assign(theirs.kernel)
    return other


@wrong("4.6", "partly_frozen", points=2)
def first_layer_frozen(model):
    other = keras.models.clone_model(model)
    other.set_weights(model.get_weights())
    other.layers[0].trainable = False
    return other


@wrong("4.6", "numbers_changed")
def a_little_more(model):
    other = keras.models.clone_model(model)
    other.set_weights([each + 0.1 for each in model.get_weights()])
    return other


@wrong("4.6", "rounded")
def twin_in_half_precision(model):
    other = keras.models.clone_model(model)
    other.set_weights([each.astype("float16") for each in model.get_weights()])
    return other


@wrong("4.6", "frozen_left_out", points=3)
def twin_of_what_is_trained(model):
    other = keras.models.clone_model(model)
    for mine, its in zip(other.trainable_variables, model.trainable_variables):
        mine.assign(its)
    return other


@wrong("4.3", "other_activation")
def cut_off_at_six(x, kernel, bias):
    return tf.nn.relu6(x @ kernel + bias)


@wrong("4.4", "other_places")
def almost_silent(x, kernel, bias):
    return np.flatnonzero(np.all(x @ kernel + bias <= 0.1, axis=0))
