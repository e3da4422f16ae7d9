// The floor: Chinchilla's law refitted to weighted tables by a damped Newton loop, one replicate after another, on
// all threads. Per evaluation: the Huber sum of the log residuals, its gradient and its Hessian, in float64.
// theta = (a, b, e, alpha, beta): L(N, D) = exp(a - alpha x) + exp(b - beta y) + exp(e), x and y centred logs.

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

namespace {

using std::size_t;

constexpr int P = 5;
constexpr int MOST_EVALUATIONS = 500;
constexpr double DONE = 1e-13;     // half the squared Newton decrement, relative to the value, at a minimum
constexpr double DAMPING = 1e-3;   // of a fresh replicate, and the least after a step that was refused
constexpr double HOPELESS = 1e12;  // damping at which a replicate is given up
constexpr double PIVOT = 1e-14;    // of the Hessian, relative to the metric, below which it is not positive definite

struct Table {
    const double *x, *y, *log_loss, *weight;
    size_t rows;
};

// Per row: the terms of L, L itself, and the residual. Filled by loops that do nothing else, so that the calls of the
// vector exponential and logarithm do not push the sums of `evaluate` out of the registers.
struct Scratch {
    std::vector<double> size, data, total, miss;
    explicit Scratch(size_t rows) : size(rows), data(rows), total(rows), miss(rows) {}
};

struct Evaluation {
    double value, gradient[P], hessian[P][P];
};

void evaluate(const Table& table, const double* theta, double delta, Scratch& scratch, Evaluation& out) {
    const double *__restrict__ x = table.x, *__restrict__ y = table.y, *__restrict__ weight = table.weight;
    double *__restrict__ size = scratch.size.data(), *__restrict__ data = scratch.data.data();
    double *__restrict__ total = scratch.total.data(), *__restrict__ miss = scratch.miss.data();
    const double a = theta[0], b = theta[1], floor = std::exp(theta[2]), alpha = theta[3], beta = theta[4];
    for (size_t i = 0; i < table.rows; ++i) size[i] = std::exp(a - alpha * x[i]);
    for (size_t i = 0; i < table.rows; ++i) data[i] = std::exp(b - beta * y[i]);
    for (size_t i = 0; i < table.rows; ++i) total[i] = size[i] + data[i] + floor;
    for (size_t i = 0; i < table.rows; ++i) miss[i] = std::log(total[i]) - table.log_loss[i];

    // With the shares p, q, s of the three terms, u = p x and v = q y, the slope of log L is g = (p, q, s, -u, -v), and
    // the Hessian of rho(log L - log loss) is (rho'' - rho') g g^T + rho' times that of each term weighted by its share.
    double value = 0, p1 = 0, q1 = 0, s1 = 0, u1 = 0, v1 = 0, ux = 0, vy = 0;
    double pp = 0, pq = 0, ps = 0, pu = 0, pv = 0, qq = 0, qs = 0, qu = 0, qv = 0;
    double ss = 0, su = 0, sv = 0, uu = 0, uv = 0, vv = 0;
    for (size_t i = 0; i < table.rows; ++i) {
        const double r = miss[i], share = 1.0 / total[i];
        const double psi = std::min(std::max(r, -delta), delta);
        const double first = weight[i] * psi;
        const double second = (std::fabs(r) <= delta ? weight[i] : 0.0) - first;
        const double p = size[i] * share, q = data[i] * share, s = floor * share, u = p * x[i], v = q * y[i];
        value += first * (r - 0.5 * psi);
        p1 += first * p, q1 += first * q, s1 += first * s, u1 += first * u, v1 += first * v;
        ux += first * u * x[i], vy += first * v * y[i];
        const double p2 = second * p, q2 = second * q, s2 = second * s, u2 = second * u;
        pp += p2 * p, pq += p2 * q, ps += p2 * s, pu += p2 * u, pv += p2 * v;
        qq += q2 * q, qs += q2 * s, qu += q2 * u, qv += q2 * v;
        ss += s2 * s, su += s2 * u, sv += s2 * v;
        uu += u2 * u, uv += u2 * v, vv += second * v * v;
    }
    out = {value,
           {p1, q1, s1, -u1, -v1},
           {{pp + p1, pq, ps, -pu - u1, -pv},
            {pq, qq + q1, qs, -qu, -qv - v1},
            {ps, qs, ss + s1, -su, -sv},
            {-pu - u1, -qu, -su, uu + ux, uv},
            {-pv, -qv - v1, -sv, uv, vv + vy}}};
}

// The diagonal of J^T W J with Huber's weights, at the point last evaluated: it gives the damping its units.
void measure(const Table& table, double floor, double delta, const Scratch& scratch, double* metric) {
    std::fill(metric, metric + P, 0.0);
    for (size_t i = 0; i < table.rows; ++i) {
        const double mass = table.weight[i] * delta / std::max(std::fabs(scratch.miss[i]), delta);
        const double share = 1.0 / scratch.total[i];
        const double p = scratch.size[i] * share, q = scratch.data[i] * share, s = floor * share;
        const double slope[P] = {p, q, s, p * table.x[i], q * table.y[i]};
        for (int j = 0; j < P; ++j) metric[j] += mass * slope[j] * slope[j];
    }
}

// step = (H + damping diag(metric))^-1 gradient by Cholesky; false where that matrix is not positive definite.
bool solve(const Evaluation& here, const double* metric, double damping, double* step) {
    double lower[P][P];
    for (int j = 0; j < P; ++j) {
        double pivot = here.hessian[j][j] + damping * metric[j];
        for (int k = 0; k < j; ++k) pivot -= lower[j][k] * lower[j][k];
        if (!(pivot > PIVOT * metric[j])) return false;
        lower[j][j] = std::sqrt(pivot);
        for (int i = j + 1; i < P; ++i) {
            double entry = here.hessian[i][j];
            for (int k = 0; k < j; ++k) entry -= lower[i][k] * lower[j][k];
            lower[i][j] = entry / lower[j][j];
        }
    }
    for (int i = 0; i < P; ++i) {
        step[i] = here.gradient[i];
        for (int k = 0; k < i; ++k) step[i] -= lower[i][k] * step[k];
        step[i] /= lower[i][i];
    }
    for (int i = P - 1; i >= 0; --i) {
        for (int k = i + 1; k < P; ++k) step[i] -= lower[k][i] * step[k];
        step[i] /= lower[i][i];
    }
    return true;
}

bool is_minimum(const Evaluation& here, const double* metric) {
    double step[P], decrement = 0;
    if (!solve(here, metric, 0.0, step)) return false;
    for (int j = 0; j < P; ++j) decrement += 0.5 * step[j] * here.gradient[j];
    return decrement <= DONE * here.value;
}

// Moves theta from the point fit to the minimum; false where it is given up.
bool descend(const Table& table, double delta, Scratch& scratch, double* theta, double& value) {
    Evaluation here, there;
    double metric[P], damping = DAMPING;
    evaluate(table, theta, delta, scratch, here);
    measure(table, std::exp(theta[2]), delta, scratch, metric);
    bool is_done = is_minimum(here, metric);
    for (int count = 1; !is_done && count < MOST_EVALUATIONS; ++count) {
        double step[P], trial[P];
        while (damping < HOPELESS && !solve(here, metric, damping, step)) damping = std::max(10.0 * damping, DAMPING);
        if (damping >= HOPELESS) break;
        for (int j = 0; j < P; ++j) trial[j] = theta[j] - step[j];
        evaluate(table, trial, delta, scratch, there);
        if (there.value <= here.value) {
            std::copy(trial, trial + P, theta);
            here = there;
            damping *= 0.1;
            is_done = is_minimum(here, metric);
        } else {
            damping = std::max(10.0 * damping, DAMPING);
        }
    }
    value = here.value;
    return is_done;
}

}  // namespace

// x, y, log_loss: (rows,).   weights: (replicates, rows).   start: (replicates, starts, P): the lowest end is kept.
// only_drawn: leave out rows of weight zero.   Out: theta (replicates, P), value (replicates,), is_done (replicates,).
// The next free thread takes the next replicate.
extern "C" void refit(const double* x, const double* y, const double* log_loss, const double* weights, size_t rows,
                      size_t replicates, const double* start, size_t starts, double delta, int threads, int only_drawn, double* theta,
                      double* value, std::uint8_t* is_done) {
    std::atomic<size_t> next{0};
    const auto work = [&] {
        Scratch scratch(rows);
        std::vector<double> own_x(rows), own_y(rows), own_loss(rows), own_weight(rows);
        for (size_t r; (r = next++) < replicates;) {
            const double* weight = weights + r * rows;
            Table table{x, y, log_loss, weight, rows};
            if (only_drawn) {
                size_t count = 0;
                for (size_t i = 0; i < rows; ++i) {
                    if (weight[i] == 0) continue;
                    own_x[count] = x[i], own_y[count] = y[i], own_loss[count] = log_loss[i];
                    own_weight[count++] = weight[i];
                }
                table = {own_x.data(), own_y.data(), own_loss.data(), own_weight.data(), count};
            }
            is_done[r] = 0;
            for (size_t s = 0; s < starts; ++s) {
                double trial[P], end;
                const double* begin = start + (r * starts + s) * P;
                std::copy(begin, begin + P, trial);
                const bool done = descend(table, delta, scratch, trial, end);
                const bool better = done != bool(is_done[r]) ? done : end < value[r];
                if (s > 0 && !better) continue;
                std::copy(trial, trial + P, theta + r * P);
                value[r] = end;
                is_done[r] = done;
            }
        }
    };
    std::vector<std::thread> pool;
    for (int k = 1; k < threads; ++k) pool.emplace_back(work);
    work();
    for (auto& thread : pool) thread.join();
}
