"""Answers to the problems of lesson 5."""

import functools
import itertools

import keras
import numpy as np
import tensorflow as tf
from collected import right, right_answers, wrong, wrong_answers
from keras import layers

# 5.1


@wrong("5.1", "divided_twice")
def twice(train_images, test_images):
    train_images, test_images = train_images / 255, test_images / 255
    return (train_images / 255).astype("float32"), (test_images / 255).astype("float32")


@wrong("5.1", "by_256")
def by_256(train_images, test_images):
    return train_images.astype("float32") / 256, test_images.astype("float32") / 256


@wrong("5.1", "whole_numbers")
def integer_division(train_images, test_images):
    return train_images // 255, test_images // 255


@wrong("5.1", "whole_numbers")
def written_back(train_images, test_images):
    train_images[:] = train_images / 255
    test_images[:] = test_images / 255
    return train_images, test_images


@wrong("5.1", "not_scaled")
def only_cast(train_images, test_images):
    return train_images.astype("float32"), test_images.astype("float32")


@wrong("5.1", "not_scaled_test")
def forgot_the_test(train_images, test_images):
    return train_images.astype("float32") / 255, test_images


@wrong("5.1", "divided_twice_test")
def test_divided_twice(train_images, test_images):
    train_images = train_images.astype("float32") / 255
    test_images = test_images.astype("float32") / 255
    return train_images, test_images / 255


@wrong("5.1", "by_the_maximum")
def by_their_maximum(train_images, test_images):
    scaled = (images / images.max() for images in (train_images, test_images))
    return tuple(each.astype("float32") for each in scaled)


@wrong("5.1", "each_image_by_itself")
def image_by_image(train_images, test_images):
    def scale(images):
        return np.array([image / image.max() for image in images], dtype="float32")

    return scale(train_images), scale(test_images)


@wrong("5.1", "standardised")
def z_scores(train_images, test_images):
    return tuple((x - x.mean()) / x.std() for x in (train_images, test_images))


@wrong("5.1", "other_statistics")
def by_statistics_of_the_test_set(train_images, test_images):
    return train_images / test_images.max(), test_images / test_images.max()


@wrong("5.1", "float64", points=1)
def double_precision(train_images, test_images):
    return train_images / 255, test_images / 255


@wrong("5.1", "swapped")
def the_other_way_round(train_images, test_images):
    return test_images.astype("float32") / 255, train_images.astype("float32") / 255


@wrong("5.1", "only_training")
def one_set(train_images, test_images):
    return train_images.astype("float32") / 255


@wrong("5.1", "in_place")
def in_place(train_images, test_images):
    train_images /= 255
    test_images /= 255
    return train_images, test_images


@right("5.1")
def divided(train_images, test_images):
    return train_images.astype(np.float32) / 255.0, test_images.astype(np.float32) / 255.0


@right("5.1")
def tensors(train_images, test_images):
    return [tf.image.convert_image_dtype(x, tf.float32) for x in (train_images, test_images)]


@right("5.1")
def multiplied(train_images, test_images):
    return tuple(
        np.multiply(x, 1 / 255, dtype=np.float32, casting="unsafe")
        for x in (train_images, test_images)
    )


rescale = keras.layers.Rescaling(1 / 255)
right("5.1")(lambda train_images, test_images: (rescale(train_images), rescale(test_images)))


# 5.2


def stack(hidden_units, *, output="softmax", hidden="relu", flatten=True, outputs=10, more=()):
    flat = [layers.Flatten()] if flatten else []
    return keras.Sequential(
        [
            keras.Input((28, 28)),
            *flat,
            layers.Dense(hidden_units, activation=hidden),
            layers.Dense(outputs, activation=output),
            *more,
        ]
    )


SPARSE = "sparse_categorical_crossentropy"


def good_build(hidden_units, loss=SPARSE, optimizer="adam", metrics=("accuracy",), **how):
    model = stack(hidden_units, **how)
    model.compile(optimizer, loss=loss, metrics=list(metrics))
    return model


def good_train(model, images, labels, test_images, test_labels):
    history = model.fit(images, labels, epochs=3, batch_size=20, verbose=0)
    loss, accuracy = model.evaluate(test_images, test_labels, verbose=0)
    return history.history["accuracy"][-1], accuracy


def built_wrongly(diagnosis, points=0.0, **how):
    """Collect a way to build the model; the part about training is left blank."""

    def make():
        return functools.partial(good_build, **how), ...

    make.__name__ = diagnosis
    wrong_answers("5.2", diagnosis, points)(make)


built_wrongly("flatten_missing", flatten=False)
built_wrongly("sigmoid_output", output="sigmoid")
built_wrongly("no_relu", hidden=None)
built_wrongly("hidden_activation", hidden="softmax")
built_wrongly("number_of_classes", outputs=1)
built_wrongly("softmax_twice", more=[layers.Softmax()])
built_wrongly("logits_without_from_logits", output=None)
built_wrongly(
    "softmax_and_from_logits",
    points=1.5,
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
)
built_wrongly("categorical_loss", loss="categorical_crossentropy")
built_wrongly("binary_loss", loss="binary_crossentropy")
built_wrongly("regression_loss", loss="mse")
built_wrongly("no_accuracy", points=2.25, metrics=())
built_wrongly("weights_stand_still", optimizer=keras.optimizers.SGD(0.0))
built_wrongly("no_loss", loss=None)


def building(diagnosis, points=0.0):
    def collect(f):
        def make():
            return f, ...

        make.__name__ = f.__name__
        wrong_answers("5.2", diagnosis, points)(make)
        return f

    return collect


@building("fixed_units")
def always_128(hidden_units):
    return good_build(128)


@building("not_compiled")
def never_compiled(hidden_units):
    return stack(hidden_units)


@building("returned_compile")
def what_compile_returns(hidden_units):
    return stack(hidden_units).compile("adam", loss=SPARSE, metrics=["accuracy"])


@building("returns_nothing")
def without_return(hidden_units):
    model = stack(hidden_units)
    model.compile("adam", loss=SPARSE, metrics=["accuracy"])


@building("flat_input")
def rows_of_784(hidden_units):
    model = keras.Sequential(
        [keras.Input((784,)), layers.Dense(hidden_units, "relu"), layers.Dense(10, "softmax")]
    )
    model.compile("adam", loss=SPARSE, metrics=["accuracy"])
    return model


@building("hidden_missing")
def no_hidden_layer(hidden_units):
    model = keras.Sequential(
        [keras.Input((28, 28)), layers.Flatten(), layers.Dense(10, activation="softmax")]
    )
    model.compile("adam", loss=SPARSE, metrics=["accuracy"])
    return model


def trained_wrongly(diagnosis):
    """Collect a way to train; the model is built rightly, which earns 3 of the 5 points."""

    def collect(f):
        def make():
            return good_build, f

        make.__name__ = f.__name__
        wrong_answers("5.2", diagnosis, 3)(make)
        return f

    return collect


@trained_wrongly("batch_size")
def usual_batches(model, images, labels, test_images, test_labels):
    history = model.fit(images, labels, epochs=3, verbose=0)
    return history.history["accuracy"][-1], model.evaluate(test_images, test_labels, verbose=0)[1]


@trained_wrongly("one_epoch")
def one_epoch(model, images, labels, test_images, test_labels):
    history = model.fit(images, labels, batch_size=20, verbose=0)
    return history.history["accuracy"][-1], model.evaluate(test_images, test_labels, verbose=0)[1]


@trained_wrongly("losses")
def loss_for_accuracy(model, images, labels, test_images, test_labels):
    history = model.fit(images, labels, epochs=3, batch_size=20, verbose=0)
    return history.history["accuracy"][-1], model.evaluate(test_images, test_labels, verbose=0)[0]


@trained_wrongly("first_epoch")
def first_epoch(model, images, labels, test_images, test_labels):
    history = model.fit(images, labels, epochs=3, batch_size=20, verbose=0)
    return history.history["accuracy"][0], model.evaluate(test_images, test_labels, verbose=0)[1]


@trained_wrongly("trained_on_test")
def on_the_test_set(model, images, labels, test_images, test_labels):
    history = model.fit(test_images, test_labels, epochs=3, batch_size=20, verbose=0)
    return history.history["accuracy"][-1], model.evaluate(test_images, test_labels, verbose=0)[1]


@trained_wrongly("not_trained")
def evaluated_only(model, images, labels, test_images, test_labels):
    return tuple(
        model.evaluate(x, y, verbose=0)[1]
        for x, y in ((images, labels), (test_images, test_labels))
    )


class Forged:
    """A history that no training has written."""

    def __init__(self, *accuracies):
        self.history = {"accuracy": [*accuracies], "loss": [3.0, 2.0, 1.0]}


@trained_wrongly("learnt_nothing")
def steps_that_nobody_took(model, images, labels, test_images, test_labels):
    model.optimizer.iterations.assign(7 * 3)
    model.history = Forged(0.1, 0.2, 0.3)
    return 0.3, float((np.asarray(model(test_images)).argmax(axis=1) == test_labels).mean())


@trained_wrongly("learnt_nothing")
def images_and_labels_made_to_fit(model, images, labels, test_images, test_labels):
    for each in (images, labels, test_images, test_labels):
        each[...] = 0
    test_labels[0] = 1
    model.set_weights([np.zeros((784, 10), "float32"), np.array([9] + [0] * 9, "float32")])
    model.optimizer.iterations.assign(7 * 3)
    model.history = Forged(13 / 130, 52 / 130, 39 / 130)
    return 39 / 130, 49 / 50


@trained_wrongly("other_history")
def a_history_of_its_own(model, images, labels, test_images, test_labels):
    model.fit(images, labels, epochs=3, batch_size=20, verbose=0)
    model.history = Forged(0.1, 0.2, 0.95)
    return 0.95, model.evaluate(test_images, test_labels, verbose=0)[1]


@trained_wrongly("evaluated_before")
def evaluated_too_early(model, images, labels, test_images, test_labels):
    loss, accuracy = model.evaluate(test_images, test_labels, verbose=0)
    history = model.fit(images, labels, epochs=3, batch_size=20, verbose=0)
    return history.history["accuracy"][-1], accuracy


@right_answers("5.2")
def as_in_the_lesson():
    return good_build, good_train


@right_answers("5.2")
def functional_logits_and_sgd():
    def build_model(hidden_units):
        image = keras.Input((28, 28))
        hidden = layers.Dense(hidden_units)(layers.Reshape((784,))(image))
        model = keras.Model(image, layers.Dense(10)(layers.ReLU()(hidden)))
        model.compile(
            keras.optimizers.SGD(0.01, momentum=0.9),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=[keras.metrics.SparseCategoricalAccuracy()],
        )
        return model

    def train(model, images, labels, test_images, test_labels):
        for _ in range(3):
            history = model.fit(images, labels, batch_size=20, epochs=1, verbose=0)
        answers = model.predict(test_images, verbose=0).argmax(axis=1)
        return [history.history["accuracy"][0], np.mean(answers == test_labels)]

    return build_model, train


@right_answers("5.2")
def added_layer_by_layer_and_validated():
    def build_model(hidden_units):
        model = keras.Sequential()
        model.add(layers.Flatten())
        model.add(layers.Dense(hidden_units))
        model.add(layers.Activation("relu"))
        model.add(layers.Dense(10))
        model.add(layers.Softmax())
        model.compile(loss=keras.losses.SparseCategoricalCrossentropy(), metrics=["acc"])
        return model

    def train(model, images, labels, test_images, test_labels):
        model.fit(
            images,
            labels,
            epochs=3,
            batch_size=20,
            verbose=0,
            validation_data=(test_images, test_labels),
        )
        seen = model.history.history
        return seen["accuracy"][-1], seen["val_accuracy"][-1]

    return build_model, train


# 5.3


@wrong("5.3", "right_included")
def right_ones_too(probabilities, labels, k):
    return np.argsort(-probabilities.max(axis=1))[:k]


@wrong("5.3", "least_confident")
def upwards(probabilities, labels, k):
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != labels)
    return wrong[np.argsort(probabilities[wrong].max(axis=1))][:k]


@wrong("5.3", "ascending")
def last_ones_upwards(probabilities, labels, k):
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != labels)
    return wrong[np.argsort(probabilities[wrong].max(axis=1))][-k:]


@wrong("5.3", "true_class")
def by_the_true_class(probabilities, labels, k):
    true = probabilities[np.arange(len(labels)), labels]
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != labels)
    return wrong[np.argsort(true[wrong])][:k]


@wrong("5.3", "confidences")
def their_confidences(probabilities, labels, k):
    confidence = probabilities.max(axis=1)
    return np.sort(confidence[probabilities.argmax(axis=1) != labels])[::-1][:k]


@wrong("5.3", "filtered_indices")
def indices_among_the_mistakes(probabilities, labels, k):
    is_wrong = probabilities.argmax(axis=1) != labels
    return np.argsort(-probabilities[is_wrong].max(axis=1))[:k]


@wrong("5.3", "only_right")
def the_right_ones(probabilities, labels, k):
    found = np.flatnonzero(probabilities.argmax(axis=1) == labels)
    return found[np.argsort(-probabilities[found].max(axis=1))][:k]


@wrong("5.3", "not_sorted")
def the_first_mistakes(probabilities, labels, k):
    return np.flatnonzero(probabilities.argmax(axis=1) != labels)[:k]


@wrong("5.3", "all_mistakes")
def every_mistake(probabilities, labels, k):
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != labels)
    return wrong[np.argsort(-probabilities[wrong].max(axis=1))]


@wrong("5.3", "changed_input", points=1.5)
def wipes_the_right_ones_out(probabilities, labels, k):
    is_right = probabilities.argmax(axis=1) == labels
    probabilities[is_right] = 0
    order = np.argsort(-probabilities.max(axis=1))
    return order[: min(k, (~is_right).sum())]


@wrong("5.3", "none")
def sort_returns_nothing(probabilities, labels, k):
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != labels)
    return wrong.sort()


@right("5.3")
def as_in_the_lesson_too(probabilities, labels, k):
    confidence = probabilities.max(axis=1)
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != labels)
    return wrong[np.argsort(-confidence[wrong])][:k]


@right("5.3")
def in_plain_python(probabilities, labels, k):
    mistakes = []
    for i, (row, label) in enumerate(zip(probabilities, labels, strict=False)):
        if row.argmax() != label:
            mistakes.append((row.max(), i))
    return [i for _, i in sorted(mistakes, reverse=True)][:k]


@right("5.3")
def with_tensorflow(probabilities, labels, k):
    is_wrong = tf.argmax(probabilities, axis=1) != labels
    charged = tf.where(is_wrong, tf.reduce_max(probabilities, axis=1), -1.0)
    count = min(k, int(tf.reduce_sum(tf.cast(is_wrong, tf.int32))))
    return tf.math.top_k(charged, k=count).indices


# 5.4


@wrong("5.4", "missing_batch_axis")
def no_batch_axis(model, image):
    row = model.predict(image, verbose=0)
    return row.argmax(), row.max()


@wrong("5.4", "missing_batch_axis")
def called_without_batch_axis(model, image):
    row = model(image)[0].numpy()
    return row.argmax(), row.max()


@wrong("5.4", "axis_at_the_wrong_place")
def axis_at_the_end(model, image):
    row = model.predict(np.expand_dims(image, -1), verbose=0)[0]
    return row.argmax(), row.max()


@wrong("5.4", "flattened")
def flattened(model, image):
    row = model.predict(image.reshape(1, -1), verbose=0)[0]
    return row.argmax(), row.max()


@wrong("5.4", "kept_batch_axis")
def kept_the_axis(model, image):
    answer = model.predict(image[np.newaxis], verbose=0)
    return answer.argmax(axis=1), answer.max(axis=1)


@wrong("5.4", "wrong_axis")
def over_axis_0(model, image):
    answer = model.predict(image[np.newaxis], verbose=0)
    return answer.argmax(axis=0), answer.max(axis=0)


@wrong("5.4", "wrong_axis")
def over_axis_0_then_the_first(model, image):
    answer = model.predict(image[np.newaxis], verbose=0)
    return answer.argmax(axis=0)[0], answer.max(axis=0)[0]


@wrong("5.4", "confidence_first")
def confidence_first(model, image):
    row = model(image[np.newaxis]).numpy()[0]
    return row.max(), row.argmax()


@wrong("5.4", "only_class")
def class_alone(model, image):
    return model(image[np.newaxis]).numpy()[0].argmax()


@wrong("5.4", "scaled_again")
def scaled_again(model, image):
    row = model(image[np.newaxis] / 255).numpy()[0]
    return row.argmax(), row.max()


@wrong("5.4", "all_probabilities")
def the_whole_row(model, image):
    row = model(image[np.newaxis]).numpy()[0]
    return row.argmax(), row


@right("5.4")
def new_axis(model, image):
    row = model.predict(image[np.newaxis], verbose=0)[0]
    return row.argmax(), row.max()


@right("5.4")
def as_tensors(model, image):
    answer = tf.squeeze(model(tf.expand_dims(image, 0)))
    return tf.argmax(answer), tf.reduce_max(answer)


@right("5.4")
def python_numbers(model, image):
    answer = model.predict_on_batch(np.stack([image, image]))
    best = max(range(10), key=lambda label: answer[1, label])
    return [int(best), float(answer[1, best])]


# 5.5


@wrong("5.5", "softmax_always")
def softmax_always(labels, outputs, from_logits):
    p = tf.nn.softmax(outputs).numpy()
    return -np.log(p[np.arange(len(labels)), labels]).mean()


@wrong("5.5", "softmax_never")
def softmax_never(labels, outputs, from_logits):
    return -np.log(outputs[np.arange(len(labels)), labels]).mean()


@wrong("5.5", "softmax_never")
def flag_ignored(labels, outputs, from_logits):
    return keras.losses.SparseCategoricalCrossentropy()(labels, outputs)


@wrong("5.5", "flag_inverted")
def flag_inverted(labels, outputs, from_logits):
    return keras.losses.SparseCategoricalCrossentropy(from_logits=not from_logits)(labels, outputs)


@wrong("5.5", "softmax_always")
def always_logits(labels, outputs, from_logits):
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)(labels, outputs)


@wrong("5.5", "softmax_twice")
def softmax_before_a_loss_that_does_it(labels, outputs, from_logits):
    if from_logits:
        powers = np.exp(outputs - outputs.max(axis=1, keepdims=True))
        outputs = powers / powers.sum(axis=1, keepdims=True)
    return keras.losses.SparseCategoricalCrossentropy(from_logits=from_logits)(labels, outputs)


@wrong("5.5", "confidence")
def still_the_largest(labels, outputs, from_logits):
    p = tf.nn.softmax(outputs) if from_logits else outputs
    return -tf.reduce_mean(tf.math.log(tf.reduce_max(p, axis=1)))


@wrong("5.5", "each_image")
def one_for_each_image(labels, outputs, from_logits):
    return keras.losses.sparse_categorical_crossentropy(labels, outputs, from_logits=from_logits)


@wrong("5.5", "all_pairs")
def all_the_columns(labels, outputs, from_logits):
    p = tf.nn.softmax(outputs).numpy() if from_logits else outputs
    return -np.log(p[:, labels]).mean()


@wrong("5.5", "no_minus")
def no_minus(labels, outputs, from_logits):
    p = tf.nn.softmax(outputs).numpy() if from_logits else outputs
    return np.log(p[np.arange(len(labels)), labels]).mean()


@wrong("5.5", "overflow", points=2.4)
def by_way_of_the_probabilities(labels, outputs, from_logits):
    if from_logits:
        powers = np.exp(outputs)
        outputs = powers / powers.sum(axis=1, keepdims=True)
    return -np.log(outputs[np.arange(len(labels)), labels]).mean()


@wrong("5.5", "overflow", points=2.4)
def with_an_epsilon(labels, outputs, from_logits):
    p = tf.nn.softmax(outputs).numpy() if from_logits else outputs
    return -np.log(p[np.arange(len(labels)), labels] + 1e-9).mean()


@wrong("5.5", "softmax_over_images")
def softmax_down_the_columns(labels, outputs, from_logits):
    p = tf.nn.softmax(outputs, axis=0).numpy() if from_logits else outputs
    return -np.log(p[np.arange(len(labels)), labels]).mean()


@right("5.5")
def by_keras(labels, outputs, from_logits):
    return keras.losses.SparseCategoricalCrossentropy(from_logits=from_logits)(labels, outputs)


@right("5.5")
def by_log_softmax(labels, outputs, from_logits):
    logarithms = tf.nn.log_softmax(outputs) if from_logits else tf.math.log(outputs)
    return -tf.reduce_mean(tf.gather(logarithms, labels, batch_dims=1))


@right("5.5")
def by_hand(labels, outputs, from_logits):
    total = 0.0
    for label, row in zip(labels, outputs.astype("float64"), strict=False):
        if from_logits:
            total += row.max() + np.log(np.exp(row - row.max()).sum()) - row[label]
        else:
            total -= np.log(row[label])
    return total / len(labels)


@right("5.5")
def with_one_hot_rows(labels, outputs, from_logits):
    loss = keras.losses.CategoricalCrossentropy(from_logits=from_logits)
    return float(loss(np.eye(10)[labels], outputs))


# 5.6


@wrong("5.6", "transposed")
def answers_in_rows(labels, predicted, classes):
    matrix = np.zeros((classes, classes), dtype=int)
    for true, answer in zip(labels, predicted, strict=False):
        matrix[answer, true] += 1
    return matrix


@wrong("5.6", "normalised")
def shares(labels, predicted, classes):
    matrix = np.zeros((classes, classes))
    np.add.at(matrix, (labels, predicted), 1)
    return matrix / matrix.sum(axis=1, keepdims=True)


@wrong("5.6", "missing_classes")
def only_classes_that_occur(labels, predicted, classes):
    seen = np.unique(np.concatenate([labels, predicted]))
    return [[int(((labels == t) & (predicted == p)).sum()) for p in seen] for t in seen]


@wrong("5.6", "missing_classes")
def sized_by_the_largest(labels, predicted, classes):
    return tf.math.confusion_matrix(labels, predicted)


@wrong("5.6", "counted_once")
def fancy_index(labels, predicted, classes):
    matrix = np.zeros((classes, classes), dtype=int)
    matrix[labels, predicted] += 1
    return matrix


@wrong("5.6", "only_mistakes")
def mistakes_only(labels, predicted, classes):
    matrix = np.zeros((classes, classes), dtype=int)
    for true, answer in zip(labels, predicted, strict=False):
        if true != answer:
            matrix[true, answer] += 1
    return matrix


@wrong("5.6", "always_ten")
def ten_by_ten(labels, predicted, classes):
    matrix = np.zeros((10, 10), dtype=int)
    np.add.at(matrix, (labels, predicted), 1)
    return matrix


@wrong("5.6", "diagonal")
def right_ones_of_each_class(labels, predicted, classes):
    return [int(((labels == c) & (predicted == c)).sum()) for c in range(classes)]


@right("5.6")
def a_loop(labels, predicted, classes):
    matrix = np.zeros((classes, classes), dtype=int)
    for true, answer in zip(labels, predicted, strict=False):
        matrix[true, answer] += 1
    return matrix


@right("5.6")
def by_tensorflow(labels, predicted, classes):
    return tf.math.confusion_matrix(labels, predicted, num_classes=classes)


@right("5.6")
def by_bincount(labels, predicted, classes):
    return np.bincount(labels * classes + predicted, minlength=classes**2).reshape(classes, classes)


@right("5.6")
def by_a_product_of_one_hot_rows(labels, predicted, classes):
    rows = np.eye(classes)
    return rows[labels].T @ rows[predicted]


# 5.7


def table(probabilities, labels, bins):
    confidence = probabilities.max(axis=1)
    is_right = probabilities.argmax(axis=1) == labels
    edges = np.linspace(0, 1, bins + 1)
    for low, high in itertools.pairwise(edges):
        group = (low < confidence) & (confidence <= high)
        if group.any():
            yield confidence[group].mean(), is_right[group].mean(), group.mean()


@wrong("5.7", "unweighted")
def every_group_the_same(probabilities, labels, bins):
    return np.mean([abs(sure - right) for sure, right, _ in table(probabilities, labels, bins)])


@wrong("5.7", "signed")
def signed(probabilities, labels, bins):
    return sum((sure - right) * share for sure, right, share in table(probabilities, labels, bins))


@wrong("5.7", "one_group")
def all_at_once(probabilities, labels, bins):
    is_right = probabilities.argmax(axis=1) == labels
    return abs(probabilities.max(axis=1).mean() - is_right.mean())


@wrong("5.7", "image_by_image")
def image_by_image_compared(probabilities, labels, bins):
    is_right = probabilities.argmax(axis=1) == labels
    return np.abs(probabilities.max(axis=1) - is_right).mean()


@wrong("5.7", "largest_gap")
def the_worst_group(probabilities, labels, bins):
    return max(abs(sure - right) for sure, right, _ in table(probabilities, labels, bins))


@wrong("5.7", "empty_group")
def empty_groups_averaged(probabilities, labels, bins):
    confidence = probabilities.max(axis=1)
    is_right = probabilities.argmax(axis=1) == labels
    edges, total = np.linspace(0, 1, bins + 1), 0.0
    for low, high in itertools.pairwise(edges):
        group = (low < confidence) & (confidence <= high)
        total += group.mean() * abs(confidence[group].mean() - is_right[group].mean())
    return total


@wrong("5.7", "edges_of_the_next_group", points=2)
def lower_edges_included(probabilities, labels, bins):
    confidence = probabilities.max(axis=1)
    is_right = probabilities.argmax(axis=1) == labels
    edges, total = np.linspace(0, 1, bins + 1), 0.0
    for low, high in itertools.pairwise(edges):
        group = (low <= confidence) & (confidence < high)
        if group.any():
            total += group.mean() * abs(confidence[group].mean() - is_right[group].mean())
    return total


@wrong("5.7", "true_class")
def by_the_true_probability(probabilities, labels, bins):
    confidence = probabilities[np.arange(len(labels)), labels]
    is_right = probabilities.argmax(axis=1) == labels
    edges, total = np.linspace(0, 1, bins + 1), 0.0
    for low, high in itertools.pairwise(edges):
        group = (low < confidence) & (confidence <= high)
        if group.any():
            total += group.mean() * abs(confidence[group].mean() - is_right[group].mean())
    return total


@wrong("5.7", "other_edges")
def one_edge_too_few(probabilities, labels, bins):
    return sum(abs(s - r) * share for s, r, share in table(probabilities, labels, bins - 1))


@wrong("5.7", "squared")
def squared(probabilities, labels, bins):
    return sum((s - r) ** 2 * share for s, r, share in table(probabilities, labels, bins))


@right("5.7")
def group_by_group(probabilities, labels, bins):
    return sum(abs(s - r) * share for s, r, share in table(probabilities, labels, bins))


@right("5.7")
def with_digitize(probabilities, labels, bins):
    confidence = probabilities.max(axis=1).astype("float64")
    gap = confidence - (probabilities.argmax(axis=1) == labels)
    group = np.digitize(confidence, np.linspace(0, 1, bins + 1), right=True)
    return np.abs(np.bincount(group, weights=gap)).sum() / len(labels)


@right("5.7")
def with_ceilings(probabilities, labels, bins):
    totals = {}
    for row, label in zip(probabilities, labels, strict=False):
        group = int(np.ceil(float(row.max()) * bins))
        totals[group] = totals.get(group, 0.0) + float(row.max()) - (row.argmax() == label)
    return tf.constant(sum(map(abs, totals.values())) / len(labels))


@wrong("5.1", "float16", points=1)
def half_precision(train_images, test_images):
    return tuple((x / 255).astype("float16") for x in (train_images, test_images))


@wrong("5.1", "other_shape")
def flattened_too(train_images, test_images):
    return tuple(x.reshape(len(x), -1).astype("float32") / 255 for x in (train_images, test_images))


@building("sizes_swapped")
def ten_hidden(hidden_units):
    return good_build(10, outputs=hidden_units)


@trained_wrongly("held_back")
def some_held_back(model, images, labels, test_images, test_labels):
    how = {"epochs": 3, "batch_size": 20, "verbose": 0, "validation_split": 0.2}
    history = model.fit(images, labels, **how)
    return history.history["accuracy"][-1], model.evaluate(test_images, test_labels, verbose=0)[1]


@trained_wrongly("other_epochs")
def ten_epochs(model, images, labels, test_images, test_labels):
    history = model.fit(images, labels, epochs=10, batch_size=20, verbose=0)
    return history.history["accuracy"][-1], model.evaluate(test_images, test_labels, verbose=0)[1]


@trained_wrongly("numbers_exchanged")
def twenty_epochs_of_three(model, images, labels, test_images, test_labels):
    model.fit(images, labels, epochs=20, batch_size=3, verbose=0)
    return 1.0, 1.0


@trained_wrongly("mean_of_epochs")
def averaged_over_epochs(model, images, labels, test_images, test_labels):
    history = model.fit(images, labels, epochs=3, batch_size=20, verbose=0)
    _, accuracy = model.evaluate(test_images, test_labels, verbose=0)
    return np.mean(history.history["accuracy"]), accuracy


@trained_wrongly("other_epoch")
def the_second_epoch(model, images, labels, test_images, test_labels):
    history = model.fit(images, labels, epochs=3, batch_size=20, verbose=0)
    return history.history["accuracy"][1], model.evaluate(test_images, test_labels, verbose=0)[1]


def mistakes_by(score, probabilities, labels, k):
    wrong_ones = np.flatnonzero(probabilities.argmax(axis=1) != labels)
    return wrong_ones[np.argsort(-score(probabilities)[wrong_ones])][:k]


def largest(probabilities):
    return probabilities.max(axis=1)


def lead(probabilities):
    ordered = np.sort(probabilities, axis=1)
    return ordered[:, -1] - ordered[:, -2]


@wrong("5.3", "margin")
def by_their_lead(probabilities, labels, k):
    return mistakes_by(lead, probabilities, labels, k)


@wrong("5.3", "by_entropy")
def by_their_entropy(probabilities, labels, k):
    return mistakes_by(lambda p: (p * np.log(p)).sum(axis=1), probabilities, labels, k)


@wrong("5.3", "k_before_the_filter")
def filtered_at_the_end(probabilities, labels, k):
    top = np.argsort(-largest(probabilities))[:k]
    return top[probabilities.argmax(axis=1)[top] != labels[top]]


@wrong("5.3", "filled_up", points=1.5)
def filled_with_minus_one(probabilities, labels, k):
    found = list(mistakes_by(largest, probabilities, labels, k))
    return found + [-1] * (k - len(found))


@wrong("5.3", "other_inputs")
def always_three(probabilities, labels, k):
    return mistakes_by(largest, probabilities, labels, 3)


@wrong("5.4", "second_best")
def one_place_too_early(model, image):
    row = np.sort(model.predict(image[None], verbose=0)[0])
    return int(np.argsort(model.predict(image[None], verbose=0)[0])[-2]), row[-2]


@wrong("5.4", "lead")
def lead_for_confidence(model, image):
    row = model.predict(image[None], verbose=0)
    return row[0].argmax(), lead(row)[0]


@wrong("5.5", "something_added")
def a_hundredth_added(labels, outputs, from_logits):
    p = tf.nn.softmax(outputs) if from_logits else tf.constant(outputs)
    chosen = tf.gather(p, labels, axis=1, batch_dims=1)
    return tf.reduce_mean(-tf.math.log(chosen + 0.01))


@wrong("5.5", "labels_as_rows")
def not_sparse(labels, outputs, from_logits):
    return keras.losses.CategoricalCrossentropy(from_logits=from_logits)(labels, outputs)


@wrong("5.5", "slip")
def median_loss(labels, outputs, from_logits):
    return np.median(
        keras.losses.sparse_categorical_crossentropy(labels, outputs, from_logits=from_logits)
    )


def counted(labels, predicted, classes, kind=int):
    matrix = np.zeros((classes, classes), kind)
    for true, answer in zip(labels, predicted):
        matrix[true, answer] += 1
    return matrix


@wrong("5.6", "rows_shared")
def one_row_many_times(labels, predicted, classes):
    matrix = [[0] * classes] * classes
    for true, answer in zip(labels, predicted):
        matrix[true][answer] += 1
    return matrix


@wrong("5.6", "totals_multiplied")
def as_if_independent(labels, predicted, classes):
    rows, columns = (np.bincount(each, minlength=classes) for each in (labels, predicted))
    return np.outer(rows, columns) // len(labels)


@wrong("5.6", "an_image_missing")
def all_but_the_last(labels, predicted, classes):
    return counted(labels[:-1], predicted[:-1], classes)


@wrong("5.6", "counted_from_one")
def classes_from_one(labels, predicted, classes):
    return counted(labels - 1, predicted - 1, classes)


@wrong("5.6", "too_small_a_type", points=1.8)
def bytes_for_counts(labels, predicted, classes):
    return counted(labels, predicted, classes, "uint8")


@wrong("5.6", "both_ways")
def both_ways_round(labels, predicted, classes):
    matrix = counted(labels, predicted, classes)
    return matrix + matrix.T


@wrong("5.6", "slip")
def in_the_column_of_the_truth(labels, predicted, classes):
    return counted(labels, labels, classes)


@wrong("5.6", "other_inputs")
def a_class_too_many(labels, predicted, classes):
    return counted(labels, predicted, classes + 1)


def error_of_groups(probabilities, labels, bins, level=None, inside=None, edges=None):
    confidence = probabilities.max(axis=1)
    is_right = probabilities.argmax(axis=1) == labels
    total = 0.0
    for low, high in itertools.pairwise(np.linspace(0, 1, bins + 1) if edges is None else edges):
        group = (low < confidence) & (confidence <= high)
        if inside:
            group = inside(low, confidence, high)
        if group.any():
            sure = level(low, high, confidence[group]) if level else confidence[group].mean()
            total += group.mean() * abs(sure - is_right[group].mean())
    return total


@wrong("5.7", "middle_of_the_group")
def against_the_middle(probabilities, labels, bins):
    return error_of_groups(probabilities, labels, bins, lambda low, high, c: (low + high) / 2)


@wrong("5.7", "medians")
def against_the_median(probabilities, labels, bins):
    return error_of_groups(probabilities, labels, bins, lambda low, high, c: np.median(c))


@wrong("5.7", "edges_of_both_groups", points=2)
def edges_in_both(probabilities, labels, bins):
    return error_of_groups(
        probabilities, labels, bins, inside=lambda low, c, high: (low <= c) & (c <= high)
    )


@wrong("5.7", "slip")
def without_the_last_group(probabilities, labels, bins):
    edges = np.linspace(0, 1, bins + 1)[:-1]
    return error_of_groups(probabilities, labels, bins, edges=edges)


@wrong("5.7", "equally_full_groups")
def equally_many(probabilities, labels, bins):
    confidence = probabilities.max(axis=1)
    is_right = probabilities.argmax(axis=1) == labels
    groups = np.array_split(np.argsort(confidence), bins)
    return sum(
        len(group) / len(labels) * abs(confidence[group].mean() - is_right[group].mean())
        for group in groups
        if len(group)
    )


@wrong("5.7", "all_ten_probabilities")
def every_probability(probabilities, labels, bins):
    confidence = probabilities.ravel()
    is_right = (np.arange(10) == labels[:, None]).ravel()
    total = 0.0
    for low, high in itertools.pairwise(np.linspace(0, 1, bins + 1)):
        group = (low < confidence) & (confidence <= high)
        if group.any():
            total += group.mean() * abs(confidence[group].mean() - is_right[group].mean())
    return total
